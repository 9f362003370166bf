"""Difference of the maps that a frozen backbone makes of two images."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from limpid.backbones.vgg19 import FIRSTS, SLICES
from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.losses._check import check_pair
from limpid.losses._features import Features

Preset = Literal["dsrnet", "errnet", "errnet_unaligned", "hypercolumn", "ibcln", "ragnet", "xreflection"]

SHARES = (1 / 2.6, 1 / 4.8, 1 / 3.7, 1 / 5.6, 10 / 1.5)
"""Weights of five levels of VGG-19 (Zhang et al., CVPR 2018), shallow to deep, that the whole field copies."""

_FIRSTS = dict(zip(FIRSTS, SHARES, strict=True))
_LAST_CONVOLUTIONS = dict(zip((tap.replace("relu", "conv") for tap in SLICES), SHARES, strict=True))
_SMALL = ("dinov3_vits16", "dinov3_vits16plus", "dinov3_vitb16")

PRESETS: Mapping[Preset, Mapping[str, Mapping[str, float]]] = {
    "dsrnet": {"vgg19": _FIRSTS},
    "errnet": {"vgg19": _FIRSTS},
    "errnet_unaligned": {"vgg19": {"conv5_2": 1}},  # the last tap, so before its ReLU
    "hypercolumn": {
        "vgg19": {"input": 1, **dict(zip(SLICES, SHARES, strict=True))},
        "hgnetv2": {"input": 1, "stage1": 1, "stage2": 1, "stage3": 1, "stage4": 2},  # its ``final`` is stage4 once more
        "dinov3_vitt": {"input": 1, "block_0": 1, "block_4": 1, "block_7": 1, "block_11": 2},  # and here block_11
        **{name: {"input": 1, "block_0": 1, "block_4": 1, "block_7": 1, "block_11": 1, "final": 1} for name in _SMALL},
    },
    "ibcln": {"vgg19": {"relu1_1": 1 / 2.6, "relu2_1": 1 / 4.8}},
    "ragnet": {"vgg19": dict(zip(("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2"), SHARES, strict=True))},
    "xreflection": {"vgg19": _LAST_CONVOLUTIONS},
}
"""Published choice → backbone → layer as it really is (the traps are told in ``_features``) → weight."""

RAW: tuple[Preset, ...] = ("ibcln", "ragnet")
"""Presets whose VGG-19 sees the photo as it is."""

BLUE_FIRST: tuple[Preset, ...] = ("ragnet",)
"""Presets whose VGG-19 sees the colours in the order blue, green, red: its authors read photos so and left them so."""


def perceptual(estimate: Mapping[str, Tensor], target: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ_l w_l · mean|φ_l(x) − φ_l(y)| over the layers of ``weights``, plain means over all elements of a map.

    ``estimate``, ``target``: layer → (B, C_l, h_l, w_l). Returns a scalar. Source: Zhang, Ng & Chen, CVPR 2018, eq. 2.
    """
    return torch.stack([weight * (estimate[layer] - target[layer]).abs().mean() for layer, weight in weights.items()]).sum()


class Perceptual(nn.Module):
    """``perceptual`` of two images, (B, 3, H, W), encoded; the target's side has no gradient.

    ``layers``: layer of the backbone → weight; ``input`` is the photo as the backbone sees it (normalised, so about 4.4 times a
    plain L1), ``final`` a DINOv3's patches after its closing norm. Or ``preset``: layers and weights of a paper's code for this
    backbone, with its order of colours. ``normalised``: whether VGG-19 sees ImageNet statistics (None: as the preset does, else
    yes). Raises SettingError, UnknownNameError.
    """

    def __init__(
        self,
        *,
        backbone: str = "vgg19",
        layers: Mapping[str, float] | None = None,
        preset: Preset | None = None,
        normalised: bool | None = None,
    ) -> None:
        super().__init__()
        if layers is not None and preset is not None:
            raise SettingError(
                f"perceptual takes either `layers` or a `preset`, not both; leave out one of them (preset {preset!r})"
            )
        self.weights = dict(_published(preset, backbone) if layers is None else layers)
        self.blue_first = preset in BLUE_FIRST
        raw = preset in RAW and normalised is None
        self.features = Features(backbone, self.weights, normalised=False if raw else normalised)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, 3, H, W) tensors."""
        check_pair(estimate, target)
        if self.blue_first:
            estimate, target = estimate.flip(1), target.flip(1)
        with torch.no_grad():
            wanted = self.features(target)
        return perceptual(self.features(estimate), wanted, self.weights)


def _published(preset: Preset | None, backbone: str) -> Mapping[str, float]:
    if preset is None or preset not in PRESETS:
        raise SettingError(f"perceptual takes `layers`, or a preset of {', '.join(PRESETS)}; got preset {preset!r}")
    if backbone not in PRESETS[preset]:
        raise SettingError(f"preset {preset!r} is known for {', '.join(PRESETS[preset])}; got {backbone!r}, give `layers` instead")
    return PRESETS[preset][backbone]


ENTRY = LossEntry(
    build=Perceptual,
    takes="layer",
    source="Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376; after Johnson et al., ECCV 2016; presets: the code of each paper",
)
