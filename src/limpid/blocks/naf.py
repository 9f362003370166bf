"""The block of NAFNet: norm, gate instead of activation, optional channel attention (Chen et al., ECCV 2022, arXiv:2204.04676)."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.global_context import RecallSequential
from limpid.errors import SettingError
from limpid.layers.context import PassesRecall, Recall

Activation = Literal["gate", "relu", "leaky_relu", "none"]
"""What stands between the convolutions of a block; the gate halves the channels, the others keep them."""


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


class SlidingMean(nn.Module):
    """Mean over a square window that stays inside the map; where it would leave it, the nearest one inside is taken.

    ``window``: side in features; None, or a map no larger than the window, gives the mean of the whole map, (B, C, 1, 1).
    Otherwise (B, C, H, W) → the same. Prefix sums make the cost independent of the window. The test-time statistics of
    Chu et al., ECCV 2022, arXiv:2112.04491.
    """

    def __init__(self, window: int | None = None) -> None:
        super().__init__()
        if window is not None and window < 1:
            raise SettingError(f"a window of a local mean has at least 1 feature; got {window}")
        self.window = window

    def forward(self, features: Tensor) -> Tensor:
        """One mean per map, or one per feature."""
        height, width = features.shape[-2:]
        if self.window is None or self.window >= max(height, width):
            return features.mean((2, 3), keepdim=True)
        rows, columns = min(self.window, height), min(self.window, width)
        with torch.autocast(features.device.type, enabled=False):  # prefix sums of a photo overflow eight bits of mantissa
            exact = features.to(torch.promote_types(features.dtype, torch.float32))
            means = _window_sums(_window_sums(exact, columns, -1), rows, -2) / (rows * columns)
            return _spread(means, height, width).to(features.dtype)


def _window_sums(features: Tensor, window: int, axis: int) -> Tensor:
    """Sums over all windows inside one axis: length n → n − window + 1."""
    sums = features.cumsum(axis)
    count = features.shape[axis] - window
    first = sums.narrow(axis, window - 1, 1)
    return torch.cat((first, sums.narrow(axis, window, count) - sums.narrow(axis, 0, count)), axis)


def _spread(means: Tensor, height: int, width: int) -> Tensor:
    """Repeat the border means outwards to (…, height, width); an odd remainder goes to the bottom and the right."""
    rows, columns = height - means.shape[-2], width - means.shape[-1]
    return F.pad(means, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2), mode="replicate")


def simple_gate(features: Tensor) -> Tensor:
    """Product of the two halves of the channels: (B, 2C, H, W) → (B, C, H, W)."""
    value, gate = features.chunk(2, dim=1)
    return value * gate


_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gate": simple_gate,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,  # slope 0.01
    "none": lambda features: features,
}


class NafBlock(nn.Module, PassesRecall):
    """Spatial half (norm, 1×1, depthwise 3×3, gate, attention, 1×1), then channel half (norm, 1×1, gate, 1×1), both residual.

    ``mean``: what the channel attention averages with, None leaves the attention out; ``window``: short for a ``LocalMean``
    of that side, features. ``feed_forward``: channels inside the channel half before its gate, None for twice the block's
    own, as ``spread`` in the spatial half. ``activation``: with another one than the gate the 3×3 convolution halves the
    channels instead, in groups of two.
    (B, C, H, W) → (B, C, H, W). Raises SettingError for an odd ``feed_forward`` before a gate.
    """

    def __init__(
        self,
        channels: int,
        *,
        window: int | None = None,
        mean: nn.Module | None = None,
        feed_forward: int | None = None,
        spread: int | None = None,
        activation: Activation = "gate",
        norm: bool = True,
    ) -> None:
        super().__init__()
        gated = activation == "gate"
        inner = 2 * channels if feed_forward is None else feed_forward
        if gated and inner % 2:
            raise SettingError(f"a gate halves the channels of the feed-forward part, so they must be even; got {inner}")
        outer = 2 * channels if spread is None else spread
        kept = outer // 2  # by the gate, or by the 3×3 convolution
        between = outer if gated else kept
        mean = LocalMean(window) if window else mean
        self.norm1 = ChannelNorm(channels) if norm else nn.Identity()
        self.conv1 = nn.Conv2d(channels, outer, 1)
        self.conv2 = nn.Conv2d(outer, between, 3, padding=1, groups=between)
        self.attention = RecallSequential(mean, nn.Conv2d(kept, kept, 1)) if mean else None
        self.conv3 = nn.Conv2d(kept, channels, 1)
        self.norm2 = ChannelNorm(channels) if norm else nn.Identity()
        self.conv4 = nn.Conv2d(channels, inner, 1)
        self.conv5 = nn.Conv2d(inner // 2 if gated else inner, channels, 1)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.activate = _ACTIVATIONS[activation]

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Refine features; starts as the identity, since both scales start at 0, and keeps the arithmetic of its input."""
        inner = self.activate(self.conv2(self.conv1(self.norm1(features))))
        if self.attention is not None:
            inner = inner * self.attention(inner, recall)
        features = features + self.conv3(inner) * self.beta.to(inner.dtype)
        refined: Tensor = features + self.conv5(self.activate(self.conv4(self.norm2(features)))) * self.gamma.to(inner.dtype)
        return refined
