"""The network of deep image priors: untrained, fed with noise, it draws what is simple long before it draws what is not.

Ulyanov, Vedaldi & Lempitsky, CVPR 2018, arXiv:1711.10925, with the widths of Double-DIP (Gandelsman et al., CVPR 2019,
arXiv:1812.00467).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (8, 16, 32, 64, 128)
"""Channels of the levels, on the way down and up."""

SKIPS = (0, 0, 0, 4, 4)
"""Channels that each level hands across by a 1×1 convolution."""

MULTIPLE, LEAST = 32, 96
"""What sides must be divisible by, and the least side, pixels: the deepest reflect padding fails below."""

_SLOPE = 0.2


class SkipLevel(nn.Module):
    """One level with all below it: (B, ``channels``, H, W) → (B, width of the level, H, W)."""

    def __init__(self, channels: int, level: int) -> None:
        super().__init__()
        width, skip = WIDTHS[level], SKIPS[level]
        self.skip = _row(channels, skip, 1) if skip else None
        self.down = nn.Sequential(*_row(channels, width, 5, stride=2), *_row(width, width, 5))
        self.below = SkipLevel(width, level + 1) if level + 1 < len(WIDTHS) else None
        joined = skip + (WIDTHS[level + 1] if self.below is not None else width)
        self.up = nn.Sequential(nn.BatchNorm2d(joined), *_row(joined, width, 5), *_row(width, width, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Down, through the levels below, up again, and beside it what skips."""
        deep = self.down(image)
        deep = deep if self.below is None else self.below(deep)
        deep = F.interpolate(deep, size=image.shape[-2:], mode="bilinear", align_corners=True)
        joined = deep if self.skip is None else torch.cat((self.skip(image), deep), dim=1)
        drawn: Tensor = self.up(joined)
        return drawn


class SkipNetwork(nn.Module):
    """Noise (B, ``channels``, H, W) → image (B, 3, H, W) within 0…1; H, W multiples of 32, at least 96."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.levels = SkipLevel(channels, 0)
        self.head = nn.Conv2d(WIDTHS[0], 3, 1)

    def forward(self, noise: Tensor) -> Tensor:
        """Draw."""
        drawn: Tensor = torch.sigmoid(self.head(self.levels(noise)))
        return drawn


def _row(channels: int, out: int, side: int, *, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, side, stride, side // 2, padding_mode="reflect")
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.LeakyReLU(_SLOPE))
