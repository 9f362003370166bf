"""Blocks of YTMT: two streams that hand each other the negative part that their ReLUs would throw away.

Hu & Guo, NeurIPS 2021, arXiv:2110.10546. Attribute names are those of published files.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.global_context import Doubling, GlobalMean, RecallSequential
from limpid.layers.context import PassesRecall, Recall

Pattern = Literal["public", "concatenate", "add"]
"""How the streams meet: released files; the refactored network's convolution of both; its sum of both."""

Pair = tuple[Tensor, Tensor]
"""A map of the transmission's stream and one of the reflection's."""


class PixelAttention(nn.Module):
    """Each pixel times a gate of its own channels: (B, C, H, W) → the same."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = channels // reduction
        self.pa = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, 1, 1), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        """Gate pixels."""
        gated: Tensor = features * self.pa(features)
        return gated


class ChannelAttention(nn.Module, PassesRecall):
    """Each channel times a gate of the means of all channels: (B, C, H, W) → the same."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = channels // reduction
        self.mean = GlobalMean()
        self.ca = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid())

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Gate channels."""
        gated: Tensor = features * self.ca(self.mean(features, recall))
        return gated


class Layers(nn.Module, PassesRecall):
    """Modules one after another under their published name ``model``."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.model = RecallSequential(*layers)

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """One after another."""
        changed: Tensor = self.model(features, recall)
        return changed


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    """3×3, same size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def attention(channels: int, reduction: int) -> tuple[PixelAttention, ChannelAttention]:
    """Both attentions, in their order."""
    return PixelAttention(channels, reduction), ChannelAttention(channels, reduction)


def exchange(maps: Pair) -> Pair:
    """The positive part of each stream beside the negative part of the other: two of (B, C, H, W) → two of (B, 2C, H, W)."""
    (first, second), (left, right) = maps, (F.relu(maps[0]), F.relu(maps[1]))
    return torch.cat((left, second - right), dim=1), torch.cat((right, first - left), dim=1)


def join(skip: Tensor, deep: Tensor) -> Tensor:
    """Skip and enlarged features, the latter amid zeros where the sides were odd."""
    rows, columns = skip.shape[-2] - deep.shape[-2], skip.shape[-1] - deep.shape[-1]
    return torch.cat((skip, F.pad(deep, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))), dim=1)


class Down(Layers):
    """Half the size: (B, 2C, H, W) → (B, D, H/2, W/2)."""

    def __init__(self, inputs: int, outputs: int, reduction: int) -> None:
        super().__init__(nn.MaxPool2d(2), conv(inputs, outputs), *attention(outputs, reduction))
        self.fusion = nn.Conv2d(2 * inputs, inputs, 1)

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Fuse at the fine size, then halve."""
        return super().forward(self.fusion(features), recall)


class Up(Layers):
    """Twice the size, beside a skip: (B, 2C, h, w) and (B, 2C, H, W) → (B, D, H, W)."""

    def __init__(self, inputs: int, outputs: int, reduction: int, *, stride: int) -> None:
        super().__init__(conv(4 * inputs, outputs), *attention(outputs, reduction))
        self.fusion_1, self.fusion_2 = (nn.Conv2d(2 * inputs, 2 * inputs, 1) for _ in range(2))
        self.enlarge = Doubling(stride=stride)

    def up(self, deep: Tensor, skip: Tensor, recall: Recall | None) -> Tensor:
        """Fuse each, then both."""
        return self.forward(join(self.fusion_2(skip), self.enlarge(self.fusion_1(deep), recall)), recall)


class Out(nn.Module):
    """(B, 2C, H, W) → (B, 3, H, W), 0…1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fusion = nn.Conv2d(2 * channels, 2 * channels, 1)
        self.conv = conv(2 * channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        """To colours."""
        return torch.sigmoid(self.conv(self.fusion(features)))


class Concatenation(nn.Module):
    """Each stream from its positive part and the other's negative one, by a convolution without activation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fusion_l, self.fusion_r = (nn.Conv2d(2 * channels, channels, 1) for _ in range(2))

    def forward(self, maps: Pair) -> Pair:
        """Two of (B, C, H, W) → the same."""
        left, right = exchange(maps)
        return self.fusion_l(left), self.fusion_r(right)


class Addition(nn.Module):
    """The same as a sum, without parameters."""

    def forward(self, maps: Pair) -> Pair:
        """Two of (B, C, H, W) → the same."""
        left, right = (F.relu(features) for features in maps)
        return left + (maps[1] - right), right + (maps[0] - left)


class Crossing(nn.Module):
    """Layers for each stream, then what crosses them."""

    def __init__(self, left: nn.Module, right: nn.Module, channels: int, pattern: Pattern) -> None:
        super().__init__()
        self.conv_l, self.conv_r = left, right
        self.ytmt_head = Concatenation(channels) if pattern == "concatenate" else Addition()

    def forward(self, maps: Pair, recall: Recall | None = None) -> Pair:
        """Two of (B, C, H, W) → two of (B, D, H, W)."""
        crossed: Pair = self.ytmt_head((self.conv_l(maps[0], recall), self.conv_r(maps[1], recall)))
        return crossed


class Level(nn.Module):
    """A crossing at another size, under its published name: (B, C, H, W) → (B, D, H, W)."""

    def __init__(self, inputs: int, outputs: int, reduction: int, pattern: Pattern) -> None:
        super().__init__()
        left, right = (Layers(*attention(inputs, reduction), conv(inputs, outputs)) for _ in range(2))
        self.model = Crossing(left, right, outputs, pattern)

    def forward(self, maps: Pair, recall: Recall | None = None) -> Pair:
        """Attend, convolve and cross."""
        crossed: Pair = self.model(maps, recall)
        return crossed
