"""The typed base of every network here, and what the runtime, training and export need to know of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from limpid.layers.context import Context, GlobalModule, Recall
from limpid.layers.separation import Separation

Tiling = Literal["harmless", "discouraged", "never"]
"""Whether tiles give what the whole photo gives: exactly, nearly (the network has a context, or looks far), or not at all."""

_LONGEST = 8192  # pixels; the longer side of a strip that is resized by its shorter one

Limits = tuple[float, float]
"""Mean change, 0…1, up to which nothing and from which everything is believed; between them confidence rises smoothly."""


@dataclass(frozen=True, kw_only=True)
class Resize:
    """How the authors of a network resize photos before it sees them, pixels.

    ``short``: the shorter side becomes so long, and the longer one in proportion, rounded down; None: both stay. Both then go down
    to multiples of ``multiple``, at least one. ``resampling``: Pillow's.
    """

    multiple: int = 1
    short: int | None = None
    resampling: Literal["bilinear", "bicubic"] = "bilinear"

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that the network sees; the longer side of a strip is kept below ``_LONGEST``."""
        shorter, longer = min(height, width), max(height, width)
        if self.short is not None:
            scaled = min(_LONGEST, max(self.short, self.short * longer // shorter))
            height, width = (self.short, scaled) if height <= width else (scaled, self.short)
        fitted = [max(1, side // self.multiple) * self.multiple for side in (height, width)]
        return fitted[0], fitted[1]


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a bare network asks of its input; the runtime provides it, so that a photo of any size is run as its authors run it.

    ``multiple``: height and width must be divisible by it, else the rim is repeated; 1 where the network takes any size and pads
    or crops inside as its authors do. ``minimum``: smallest side; the rim is repeated up to it. ``resize``: what the authors do
    with the whole photo before, None: nothing. ``tiling``: see ``Tiling``; a network that must see the photo whole says
    ``never``. ``phase``: tiles start at multiples of it, pixels (None: of ``multiple``), a multiple of ``multiple``.
    ``precisions``: those that the network keeps its quality in, ``float32`` always among them.
    """

    multiple: int = 1
    minimum: int = 1
    resize: Resize | None = None
    tiling: Tiling = "harmless"
    precisions: tuple[str, ...] = ("float32",)
    phase: int | None = None

    @property
    def grid(self) -> int:
        """What the starts of tiles are multiples of, pixels."""
        return self.phase or self.multiple


class LayerNetwork(nn.Module):
    """Photo (B, 3, H, W), 0…1, encoded → ``Separation`` of its layers, unclamped.

    A network writes ``separate`` and, where the defaults below do not hold, sets these attributes on the class or in its
    constructor. Every one speaks of the instance at hand.
    """

    needs: Needs = Needs()
    """Sizes, tiling and precisions of the input."""

    radius: int | None = None
    """Surroundings that a pixel's answer depends on, pixels, apart from what a context holds; None where nobody knows."""

    local_confidence: Limits | None = None
    """Limits of the confidence around each pixel, by the mean change there; None believes the network everywhere."""

    whole_confidence: Limits | None = None
    """Limits of the confidence in a whole photo, by its mean change; None believes the network always."""

    presence_limits: Limits | None = None
    """Probabilities of ``presence`` up to which nothing and from which everything is believed; None believes always."""

    reduced_presence_limits: Limits | None = None
    """The same for photos that are made smaller before they are judged, and look sharper for it; None: as for all others."""

    bytes_per_pixel: float | None = None
    """Memory of a forward where it cannot be counted from outside; None: it is counted."""

    fixed_size: tuple[int, int] | None = None
    """Height and width, pixels, of the only photo or tile that a forward takes, padded; None for any size."""

    pads_to: tuple[int, Literal["constant", "replicate"]] | None = None
    """To multiples of what, pixels, the network pads photos inside, and how (see ``F.pad``); None: it does not."""

    hints: bool = False
    """Whether a fourth channel of the input may say where a person saw the layer that is to be taken off: 1 there, 0 elsewhere."""

    learns_residue: bool = False
    """Whether a forward answers with a learnt ``residual``, −1…1, which the runtime calls the residue: that is no remainder."""

    answers_residual: bool = True
    """Whether a forward computes what ``learns_residue`` promises; without it the residual is what is left over."""

    grey: bool = False
    """Whether ``separate`` knows one channel, (B, 1, H, W): each channel of a photo is then a photo of its own."""

    no_weight_decay: tuple[str, ...] = ()
    """Last or inner parts of the names of parameters that weight decay leaves alone, beside all vectors."""

    layer_names: tuple[str, ...] | None = None
    """Names of its layers where settings decide them; None: those of its entry."""

    may_start_new: tuple[str, ...] = ()
    """First parts of the names of parameters that ``limpid train --init`` may leave at their first values."""

    starts_as: Mapping[str, str] = {}
    """Part → the part that it begins as a copy of where the file of ``--init`` holds no weights of its own for it."""

    def global_modules(self) -> dict[str, nn.Module]:
        """Name → module of everything that a context has an entry of: all ``GlobalModule`` by default."""
        return {name: module for name, module in self.named_modules() if isinstance(module, GlobalModule)}

    @property
    def has_context(self) -> bool:
        """Whether parts of the network see the whole photo, so that tiles need a context."""
        return bool(self.global_modules())

    def forward(self, mixed: Tensor, context: Context | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape, of a whole photo or, with ``context``, of a tile of one.

        Raises ShapeError, naming the module, for a context of another network.
        """
        return self._separate_colours(mixed, self._recall(context))

    def to_unit_range(self, layers: Separation, context: Context | None = None) -> Separation:
        """A forward's answer (B, 3, H, W) brought to 0…1, by networks whose layers have a range of their own; else the same."""
        return self.stretched(layers, self._recall(context))

    def presence(self, photo: Tensor, layers: Separation) -> Tensor | None:
        """Probability (B,) that whole photos (B, 3, H, W) show what the network takes off, given its answer, or None."""
        return None

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """What the network does, for ``forward``: ``recall``, if any, goes on to its global modules."""
        raise NotImplementedError

    def stretched(self, layers: Separation, recall: Recall | None = None) -> Separation:
        """What the network does for ``to_unit_range``; nothing by default."""
        return layers

    def context(self, photo: Tensor, size: tuple[int, int] | None = None) -> Context:
        """What the global parts find on a whole photo (1, 3, H, W), of which ``size`` (height, width) is no padding."""
        recall = Recall(self.global_modules())
        height, width = size or (photo.shape[-2], photo.shape[-1])
        layers = self._separate_colours(photo, recall)
        self.stretched(layers.map(lambda layer: layer[..., :height, :width]), recall)
        return Context((photo.shape[-2], photo.shape[-1]), recall.found)

    def _separate_colours(self, mixed: Tensor, recall: Recall | None) -> Separation:
        if not self.grey:
            return self.separate(mixed, recall)
        return self.separate(mixed.flatten(0, 1)[:, None], recall).map(lambda layer: layer.reshape(mixed.shape))

    def _recall(self, context: Context | None) -> Recall | None:
        return None if context is None else Recall(self.global_modules(), context)


def channels_last(network: nn.Module) -> nn.Module:
    """The network itself, its kernels laid out for channels-last photos, which convolutions on a CPU are fastest on."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
