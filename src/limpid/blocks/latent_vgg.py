"""The decoder that stands behind a VGG-19 as a layer's encoder: from four of its maps and the image itself to a layer.

Liu & Lu, "Separate In Latent Space", AAAI 2020, arXiv:1906.00734; mode "direct" of the VGG variant in the authors' code
(DreamtaleCore/USIS, commit 53a91ca) [C]. Norms that are built there and never applied are left out.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = ("relu1_2", "relu2_2", "relu3_2", "relu5_4")
"""The maps low, mid, deep and out: torchvision's features 2, 7, 12 and 34, which the ReLUs behind them rectify in place [C]."""

LEAST = 48
"""Least side of an image, pixels: at a sixteenth the first convolution, 3×3 without padding, needs three cells."""

_CHANNELS = (64, 128, 256, 512)  # of the taps
_NARROW = (256, 128, 64, 32)  # what is made of the maps on the way up, coarse to fine
_SLOPE = 0.2


class VggDecoder(nn.Module):
    """Image and maps of ``TAPS``, fine to coarse → layer (B, 3, H, W).

    From the coarsest map on: convolution 3×3 without padding, enlarged to the next finer map (bilinear, corners aligned), that map
    beside it; at last to the image and the image beside it. Then 3×3 to ``width`` channels, ``depth`` convolutions dilated by 1, 2,
    4, …, one more, and a linear 1×1 [C]. Leaky ReLU (0.2) after each but the last. ``bias``: of all convolutions.
    """

    def __init__(self, *, width: int, depth: int, bias: bool) -> None:
        super().__init__()
        beside = (0, *reversed(_CHANNELS[:-1]))  # the finer maps that the rising ones are joined with
        entering = [before + joined for before, joined in zip((_CHANNELS[-1], *_NARROW), beside, strict=False)]
        self.rising = nn.ModuleList(nn.Conv2d(before, after, 3, bias=bias) for before, after in zip(entering, _NARROW, strict=True))
        self.first = nn.Conv2d(_NARROW[-1] + 3, width, 3, padding=1, bias=bias)
        self.dilated = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=2**place, dilation=2**place, bias=bias) for place in range(depth)
        )
        self.last = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.head = nn.Conv2d(width, 3, 1, bias=bias)

    def forward(self, pyramid: Sequence[Tensor]) -> Tensor:
        """Decode the image and its four maps."""
        features = pyramid[-1]
        for rise, beside in zip(self.rising, reversed(pyramid[:-1]), strict=True):
            risen = F.leaky_relu(rise(features), _SLOPE)
            risen = F.interpolate(risen, size=beside.shape[-2:], mode="bilinear", align_corners=True)
            features = torch.cat((risen, beside), dim=1)
        for convolution in (self.first, *self.dilated, self.last):
            features = F.leaky_relu(convolution(features), _SLOPE)
        layer: Tensor = self.head(features)
        return layer
