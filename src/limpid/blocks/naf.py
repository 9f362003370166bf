"""The block of NAFNet: norm, gate instead of activation, optional channel attention (Chen et al., ECCV 2022, arXiv:2204.04676)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel, biased variance, affine; (B, C, H, W) → the same."""

    def __init__(self, channels: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.epsilon = epsilon

    def forward(self, features: Tensor) -> Tensor:
        """Normalise; channels-last memory makes this one contiguous pass."""
        last = features.permute(0, 2, 3, 1)
        return F.layer_norm(last, (last.shape[-1],), self.weight, self.bias, self.epsilon).permute(0, 3, 1, 2)


class LocalMean(nn.Module):
    """Mean over a centred square window of odd side, borders counted only where there are pixels; same shape out.

    A fixed window keeps the result of a tile equal to that of the whole photo. Source: Chu et al., ECCV 2022, arXiv:2112.04491.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        return F.avg_pool2d(features, self.window, stride=1, padding=self.window // 2, count_include_pad=False)


def simple_gate(features: Tensor) -> Tensor:
    """Product of the two halves of the channels: (B, 2C, H, W) → (B, C, H, W)."""
    value, gate = features.chunk(2, dim=1)
    return value * gate


class NafBlock(nn.Module):
    """Spatial half (norm, 1×1, depthwise 3×3, gate, attention, 1×1), then channel half (norm, 1×1, gate, 1×1), both residual.

    ``window``: side of the local mean of the channel attention, features; None leaves the attention out.
    (B, C, H, W) → (B, C, H, W).
    """

    def __init__(self, channels: int, *, window: int | None = None) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(channels)
        self.conv1 = nn.Conv2d(channels, 2 * channels, 1)
        self.conv2 = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.attention = nn.Sequential(LocalMean(window), nn.Conv2d(channels, channels, 1)) if window else None
        self.conv3 = nn.Conv2d(channels, channels, 1)
        self.norm2 = ChannelNorm(channels)
        self.conv4 = nn.Conv2d(channels, 2 * channels, 1)
        self.conv5 = nn.Conv2d(channels, channels, 1)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Refine features; starts as the identity, since both scales start at 0."""
        inner = simple_gate(self.conv2(self.conv1(self.norm1(features))))
        if self.attention is not None:
            inner = inner * self.attention(inner)
        features = features + self.conv3(inner) * self.beta
        refined: Tensor = features + self.conv5(simple_gate(self.conv4(self.norm2(features)))) * self.gamma
        return refined
