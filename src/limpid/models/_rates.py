"""The network that tells RDNet how much light the glass lets through: a ConvNeXt on a small copy of the photo.

ConvNeXt: Liu et al., CVPR 2022, arXiv:2201.03545, under timm's attribute names. Its six numbers are, as naming and a sibling in
the published code suggest, a gain and an offset for each channel.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.backbones._backbone import Backbone, Home
from limpid.blocks.focalnet import Mlp
from limpid.blocks.naf import ChannelNorm

SIDE = 224
"""Pixels to which both sides of the photo are brought."""


class _Block(nn.Module):
    """Depthwise 7×7, norm, perceptron, scaled and added: (B, C, H, W) → the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = Mlp(channels, 4 * channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, features: Tensor) -> Tensor:
        tokens = self.mlp(self.norm(self.conv_dw(features).permute(0, 2, 3, 1)))
        refined: Tensor = features + (self.gamma * tokens).permute(0, 3, 1, 2)
        return refined


class _Stage(nn.Module):
    """Halving, but in the first stage, then blocks."""

    def __init__(self, inputs: int, channels: int, depth: int) -> None:
        super().__init__()
        halve = (ChannelNorm(inputs), nn.Conv2d(inputs, channels, 2, stride=2))
        self.downsample = nn.Sequential(*halve) if inputs != channels else nn.Identity()
        self.blocks = nn.Sequential(*(_Block(channels) for _ in range(depth)))

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.blocks(self.downsample(features))
        return changed


class _Trunk(nn.Module):
    """(B, 3, H, W) → (B, C): means of the last map, normed."""

    def __init__(self, width: int, depths: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 4, stride=4), ChannelNorm(width))
        self.stages = nn.Sequential(*(_Stage(width << max(i - 1, 0), width << i, depth) for i, depth in enumerate(depths)))
        self.head = nn.ModuleDict({"norm": nn.LayerNorm(width << (len(depths) - 1), eps=1e-6)})

    def forward(self, photo: Tensor) -> Tensor:
        means = self.stages(self.stem(photo)).mean((2, 3))
        normed: Tensor = self.head["norm"](means)
        return normed


class RateNetwork(Backbone):
    """Photo (B, 3, H, W), 0…1, encoded, of any size → ``rates``, (B, 6).

    ``width``: channels at 1/4, doubled by each stage; ``depths``: blocks. Frozen; published as a file of its own.
    """

    home = Home(files=("cls_model.pth",), page="https://github.com/lime-j/RDNet")

    def __init__(self, width: int = 96, depths: tuple[int, ...] = (3, 3, 27, 3)) -> None:
        super().__init__()
        self.channels = {"rates": 6}
        self.model = _Trunk(width, depths)
        self.head = nn.Linear(width << (len(depths) - 1), 6)
        self.freeze()

    def stages(self, photo: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The six numbers."""
        small = F.interpolate(photo, size=(SIDE, SIDE), mode="bilinear", align_corners=True)
        yield "rates", self.head(self.model(small))

    def rename(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Keys of the published file are ours; behind a prefix where another file brings it."""
        return {name.removeprefix("classifier."): tensor for name, tensor in tensors.items()}
