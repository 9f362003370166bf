"""What losses see through a frozen backbone: maps by name, the photo as it enters, and the last map after the closing norm.

Names are those of the layers, never the numbers of published code, and say what the map really is. Two traps hide there. Code that
counts modules of torchvision's VGG-19 and taps a convolution gets it after the ReLU, which works in place, unless it is the
last tap: ERRNet's (8, 13, 22) are ``relu2_2``, ``relu3_2``, ``conv4_2``, its (8, 13, 22, 31) ``relu2_2``, ``relu3_2``, ``relu4_2``,
``conv5_2``. And the hypercolumn network cuts VGG-19 before its pools: what it calls conv3_2, conv4_2 and conv5_2 are ``relu3_4``,
``relu4_4`` and ``relu5_4``. ERRNet's and DSRNet's 2, 7, 12, 21, 30 and IBCLN's 2, 7 point at ReLUs: ``relu1_1`` … ``relu5_1``.
"""

from collections.abc import Iterable
from inspect import signature
from typing import Any, cast

from torch import Tensor, nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone, Normalisation, normalise
from limpid.backbones._dinov3 import Dinov3
from limpid.errors import SettingError, UnknownNameError

INPUT = "input"
"""The photo as it enters the first layer: normalised where the backbone does so."""

FINAL = "final"
"""Patches of a DINOv3 after the norm that follows its last block (the last block itself where there is no norm)."""


class Features(nn.Module):
    """Photo (B, 3, H, W), encoded → name → map (B, C, h, w), for the ``taps`` asked for.

    ``backbone``: name in the catalogue; ``normalised``: whether VGG-19 sees the photo in ImageNet statistics (None: yes); others
    bring their own rule. Raises UnknownNameError for a backbone or tap that is not there, SettingError.
    """

    def __init__(self, backbone: str, taps: Iterable[str], *, normalised: bool | None = None) -> None:
        super().__init__()
        self.taps = tuple(taps)
        deep = tuple(tap for tap in self.taps if tap not in (INPUT, FINAL))
        if not deep and FINAL not in self.taps:
            raise SettingError(f"none of the layers {', '.join(self.taps) or '(none)'} is a map of {backbone}; name at least one")
        self.backbone = _build(backbone, deep, normalised)
        stages = tuple(self.backbone.channels)
        known = (INPUT, *stages, *((FINAL,) if isinstance(self.backbone, Dinov3) else ()))
        for tap in self.taps:
            if tap not in known:
                raise UnknownNameError(f"layer of {backbone}", tap, known)
        self._deepest = stages[-1] if FINAL in self.taps else max(deep, key=stages.index)

    def forward(self, photo: Tensor) -> dict[str, Tensor]:
        """The maps in the order of ``taps``; layers below the deepest are not computed."""
        found = {INPUT: self._entering(photo)}
        for name, features in self.backbone.stages(photo):
            found[name] = features
            if name == self._deepest:
                break
        if FINAL in self.taps:
            found[FINAL] = self._closed(found[self._deepest])
        return {tap: found[tap] for tap in self.taps}

    def _entering(self, photo: Tensor) -> Tensor:
        return normalise(photo, cast(Normalisation, self.backbone)) if hasattr(self.backbone, "mean") else photo

    def _closed(self, last: Tensor) -> Tensor:
        """The norm looks at one patch at a time, so the map of the last block is all it needs."""
        norm = cast(Dinov3, self.backbone).model.norm
        closed: Tensor = norm(last.movedim(1, -1))  # (B, h, w, D)
        return closed.movedim(-1, 1)


def _build(name: str, taps: tuple[str, ...], normalised: bool | None) -> Backbone:
    entry = catalogue.find("backbones", name)
    accepted = signature(entry.build).parameters
    settings: dict[str, Any] = {"taps": taps} if taps and "taps" in accepted else {}
    if "normalised" in accepted:
        settings["normalised"] = normalised is not False
    elif normalised is not None:
        raise SettingError(f"{name} brings its own normalisation; leave out `normalised`")
    made: Backbone = entry.build(**settings)
    return made
