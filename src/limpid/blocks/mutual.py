"""Mutually gated interactive blocks: two streams, one set of weights, each stream multiplied by what the other one passes.

The blocks of DSRNet (Hu & Guo, ICCV 2023, arXiv:2308.10027) and of its Mamba variants. The two streams travel as one tensor, the
first stream in the first half of the batch and the second in the other: what they share is computed in one go. Attribute names
are those of published checkpoints.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from limpid.blocks.global_context import GlobalMean, RecallSequential
from limpid.blocks.mamba import ImageMamba
from limpid.blocks.naf import ChannelNorm, simple_gate
from limpid.layers.context import PassesRecall, Recall

Kind = Literal["attention", "mamba", "mamba_first", "mamba_gate"]
"""What mixes distant pixels: means of channels; Mamba in their place; Mamba instead of norms and expansions; Mamba as a gate."""


class Shared(nn.Module, PassesRecall):
    """Layers that treat both streams alike, under their published name."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.seq = RecallSequential(*layers)

    def forward(self, streams: Tensor, recall: Recall | None = None) -> Tensor:
        """(2B, C, H, W) → (2B, C′, H′, W′)."""
        changed: Tensor = self.seq(streams, recall)
        return changed


class ChannelAttention(nn.Module, PassesRecall):
    """Each channel times a mixture of the means of all channels over the whole map: (B, C, H, W) → the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ca = RecallSequential(GlobalMean(), nn.Conv2d(channels, channels, 1))

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Features of a photo depend on all of it."""
        attended: Tensor = features * self.ca(features, recall)
        return attended


def swap(streams: Tensor) -> Tensor:
    """The second stream first: (2B, C, H, W) → (2B, C, H, W)."""
    first, second = streams.chunk(2)
    return torch.cat((second, first))


class MutualGate(nn.Module):
    """First half of the channels of a stream times the second half of the other's: (2B, 2C, H, W) → (2B, C, H, W)."""

    def forward(self, streams: Tensor) -> Tensor:
        """Cross the streams."""
        values, gates = streams.chunk(2, dim=1)
        return values * swap(gates)


class MutualMambaGate(nn.Module):
    """Mamba of a stream times a 1×1 convolution of the other: (2B, C, H, W) → (2B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mamba = ImageMamba(channels)
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, streams: Tensor) -> Tensor:
        """Cross the streams."""
        crossed: Tensor = self.mamba(streams) * swap(self.conv(streams))
        return crossed


def _expansion(channels: int) -> tuple[nn.Module, nn.Module]:
    return ChannelNorm(channels), nn.Conv2d(channels, 2 * channels, 1)


def _depthwise(channels: int, out: int, groups: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, padding=1, groups=groups)


def spatial_half(channels: int, middle: nn.Module) -> RecallSequential:
    """The first half of the plain block, with ``middle`` between its gate and its last convolution."""
    c = channels
    first = (*_expansion(c), _depthwise(2 * c, 2 * c, 2 * c))
    return RecallSequential(Shared(*first), MutualGate(), Shared(middle), Shared(nn.Conv2d(c, c, 1)))


def _halves(channels: int, middle: nn.Module) -> tuple[RecallSequential, RecallSequential]:
    c = channels
    return (
        spatial_half(c, middle),
        RecallSequential(Shared(*_expansion(c)), MutualGate(), Shared(nn.Conv2d(c, c, 1))),
    )


def _attention(channels: int) -> tuple[RecallSequential, RecallSequential]:
    return _halves(channels, ChannelAttention(channels))


def _mamba(channels: int) -> tuple[RecallSequential, RecallSequential]:
    return _halves(channels, ImageMamba(channels))


def _mamba_first(channels: int) -> tuple[RecallSequential, RecallSequential]:
    c = channels
    return (
        RecallSequential(
            Shared(ImageMamba(c), _depthwise(c, 2 * c, c)),
            MutualGate(),
            Shared(ChannelAttention(c)),
            Shared(nn.Conv2d(c, c, 1)),
        ),
        RecallSequential(Shared(ImageMamba(c), _depthwise(c, 2 * c, c)), MutualGate(), Shared(nn.Conv2d(c, c, 1))),
    )


def _mamba_gate(channels: int) -> tuple[RecallSequential, RecallSequential]:
    c = channels
    return (
        RecallSequential(
            Shared(*_expansion(c), _depthwise(2 * c, c, c)),
            MutualMambaGate(c),
            Shared(ChannelAttention(c)),
            Shared(nn.Conv2d(c, c, 1)),
        ),
        RecallSequential(Shared(ChannelNorm(c), nn.Conv2d(c, c, 1)), MutualMambaGate(c), Shared(nn.Conv2d(c, c, 1))),
    )


_HALVES: Mapping[str, Callable[[int], tuple[RecallSequential, RecallSequential]]] = {
    "attention": _attention,
    "mamba": _mamba,
    "mamba_first": _mamba_first,
    "mamba_gate": _mamba_gate,
}


class MutualBlock(nn.Module, PassesRecall):
    """Two residual halves on two streams, (2B, C, H, W) → the same shape; starts as the identity.

    ``kind``: what mixes distant pixels. ``shared_scale``: one scale of the second half for both streams, else one for each.
    """

    a_l: nn.Parameter
    a_r: nn.Parameter
    b: nn.Parameter
    b_l: nn.Parameter
    b_r: nn.Parameter

    def __init__(self, channels: int, *, kind: Kind = "attention", shared_scale: bool = True) -> None:
        super().__init__()
        for name in ("a_l", "a_r", *(("b",) if shared_scale else ("b_l", "b_r"))):
            self.register_parameter(name, nn.Parameter(torch.zeros(1, channels, 1, 1)))
        self.block1, self.block2 = _HALVES[kind](channels)
        self.shared_scale = shared_scale

    def forward(self, streams: Tensor, recall: Recall | None = None) -> Tensor:
        """Refine both streams."""
        streams = streams + self.block1(streams, recall) * _per_stream(self.a_l, self.a_r, streams)
        scale = self.b if self.shared_scale else _per_stream(self.b_l, self.b_r, streams)
        refined: Tensor = streams + self.block2(streams, recall) * scale
        return refined


def _per_stream(first: Tensor, second: Tensor, streams: Tensor) -> Tensor:
    """Two scales (1, C, 1, 1) → (2B, C, 1, 1)."""
    return torch.cat((first, second)).repeat_interleave(len(streams) // 2, dim=0)


class SingleBlock(nn.Module, PassesRecall):
    """The same block with one stream that gates itself (NAFNet's, Chen et al., ECCV 2022): (B, C, H, W) → the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        c = channels
        self.a, self.b = nn.Parameter(torch.zeros(1, c, 1, 1)), nn.Parameter(torch.zeros(1, c, 1, 1))
        first = (*_expansion(c), _depthwise(2 * c, 2 * c, 2 * c))
        self.block1 = RecallSequential(*first, SimpleGate(), ChannelAttention(c), nn.Conv2d(c, c, 1))
        self.block2 = nn.Sequential(*_expansion(c), SimpleGate(), nn.Conv2d(c, c, 1))

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Refine features."""
        features = features + self.block1(features, recall) * self.a
        refined: Tensor = features + self.block2(features) * self.b
        return refined


class SimpleGate(nn.Module):
    """First half of the channels times the second: (B, 2C, H, W) → (B, C, H, W)."""

    def forward(self, features: Tensor) -> Tensor:
        """Multiply the halves."""
        return simple_gate(features)
