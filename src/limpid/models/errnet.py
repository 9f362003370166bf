"""ERRNet and its plain form BaseNet: residual blocks at half resolution on a VGG-19 hypercolumn.

Wei, Yang, Fu, Wipf & Huang, CVPR 2019 (arXiv:1904.00637): channel attention in thirteen residual blocks, pyramid pooling before
the output, raw VGG-19 features (relu1_1 … relu5_1) beside the photo. The network answers with the transmission alone; the
reflection given here is what it took away. The stacks of the hypercolumn and of the pyramid are never built, which is exact.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.backbones.vgg19 import FIRSTS, Vgg19
from limpid.blocks.global_context import GlobalMean, RecallSequential, cuts
from limpid.blocks.hypercolumn import fold
from limpid.blocks.resize import add_cut, add_enlarged
from limpid.catalogue import ModelEntry
from limpid.image.size import crop
from limpid.layers.context import PassesRecall, Recall, Tile, tile_of
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation

POOLS = (4, 8, 16, 32)
"""Sides of the cells of the pyramid, pixels."""


class Convolution(nn.Module):
    """Convolution that keeps or halves the size, published key ``conv2d``; (B, C, H, W) → (B, D, H/stride, W/stride)."""

    def __init__(self, before: int, after: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve, with zeros around."""
        found: Tensor = self.conv2d(features)
        return found


class Enlargement(nn.Module):
    """Transposed convolution, 4×4, that doubles the size; (B, C, H, W) → (B, C, 2H, 2W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv2d = nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Double the size."""
        found: Tensor = self.conv2d(features)
        return found


class ChannelAttention(nn.Module, PassesRecall):
    """Gate of each channel from its mean over the whole photo; (B, C, H, W) → (B, C, 1, 1), 0…1."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction), nn.ReLU(), nn.Linear(channels // reduction, channels), nn.Sigmoid()
        )
        self.mean = GlobalMean()

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Means to gates."""
        gates: Tensor = self.fc(self.mean(features, recall).flatten(1))
        return gates[..., None, None]


class ResidualBlock(nn.Module, PassesRecall):
    """x + scale · attention(conv(relu(conv(x)))), nothing after the sum; (B, C, H, W) → the same."""

    def __init__(self, channels: int, *, reduction: int | None, scale: float) -> None:
        super().__init__()
        self.conv1 = Convolution(channels, channels, 3)
        self.conv2 = Convolution(channels, channels, 3)
        self.se_layer = ChannelAttention(channels, reduction) if reduction else None
        self.scale = scale

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Refine features."""
        change = self.conv2(F.relu_(self.conv1(features)))
        gates = self.scale if self.se_layer is None else self.scale * self.se_layer(change, recall)
        refined: Tensor = features + change * gates if torch.is_grad_enabled() else change.mul_(gates).add_(features)
        return refined


class PyramidPooling(nn.Module, PassesRecall):
    """Means over cells of four sizes, each as C/4 channels enlarged to the features, joined with them by 1×1.

    Cells start at the top left, the remainder at the bottom and right is left out, and enlarging (nearest) stretches them
    over the whole. The joining convolution acts slice by slice at the cells' own resolution. Sides of at least 32; same shape out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.AvgPool2d(side), nn.Conv2d(channels, channels // 4, 1, bias=False), nn.LeakyReLU(0.2))
            for side in POOLS
        )
        self.bottleneck = nn.Conv2d(channels + len(POOLS) * (channels // 4), channels, 1)

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Add the surroundings at four scales."""
        size, tile = (features.shape[-2], features.shape[-1]), tile_of(recall)
        *slices, own = torch.split(self.bottleneck.weight, [features.shape[1] // 4] * len(POOLS) + [features.shape[1]], dim=1)
        total = F.conv2d(features, own, self.bottleneck.bias)
        for stage, weight, side in zip(self.stages, slices, POOLS, strict=True):
            pooled = F.conv2d(stage(features), weight)
            if tile is None:
                total = add_enlarged(total, pooled, size, mode="nearest")
            else:  # how the cells are stretched depends on the size of the whole photo, whose odd sides have become even
                even = replace(tile, height=tile.height + tile.height % 2, width=tile.width + tile.width % 2)
                total = add_cut(total, pooled, *cuts(even, size, side), mode="nearest")
        return F.leaky_relu_(total, 0.2)


def _radius(reach: int, blocks: int, *, pyramid: bool) -> int:
    """Pixels beyond which an input pixel cannot influence an output pixel but through means over the whole photo.

    The taps, and a cell of 16 by which they are stretched where the photo is no multiple of it; ``conv2`` and ``deconv2``, one
    each; ``conv3`` and ``deconv1``, whose cells have two pixels; two convolutions at half size in a block. A cell of the pyramid
    has at most 32 pixels and is stretched over the remainder, at most 31.
    """
    return reach + 2 + 5 + 4 * blocks + (62 if pyramid else 0)


class Errnet(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation, unclamped; sides of at least 32, odd ones cropped from the next even answer.

    ``hypercolumn``: VGG-19 taps beside the photo, none for a network without; they come from ``backbone``, whose weights
    published checkpoints leave out. ``width``: channels; ``blocks``: residual blocks; ``residual_scale``: their factor.
    ``attention``: channels per hidden unit of the channel attention, None without; ``pyramid``: pooling. BaseNet has neither.
    """

    needs = Needs(minimum=32, tiling="discouraged")

    def __init__(
        self,
        *,
        hypercolumn: tuple[str, ...] = FIRSTS,
        width: int = 256,
        blocks: int = 13,
        residual_scale: float = 0.1,
        attention: int | None = 8,
        pyramid: bool = True,
    ) -> None:
        super().__init__()
        self.backbone = Vgg19(taps=hypercolumn) if hypercolumn else None
        stacked = 3 + (sum(self.backbone.channels.values()) if self.backbone else 0)
        self.conv1 = Convolution(stacked, width, 1)
        self.conv2 = Convolution(width, width, 3)
        self.conv3 = Convolution(width, width, 3, stride=2)
        self.res_module = RecallSequential(
            *(ResidualBlock(width, reduction=attention, scale=residual_scale) for _ in range(blocks))
        )
        self.deconv1 = Enlargement(width)
        self.deconv2 = Convolution(width, width, 3)
        self.pyramid_module = PyramidPooling(width) if pyramid else None
        self.deconv3 = Convolution(width, 3, 1)
        self.needs = replace(self.needs, phase=32 if pyramid else 16)
        self.radius = _radius((self.backbone.reach or 0) + 16 if self.backbone else 0, blocks, pyramid=pyramid)

    @property
    def has_context(self) -> bool:
        """Always: how maps of halved sides are stretched depends on the size of the whole photo."""
        return True

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape; transmission is not negative."""
        features = F.relu_(self._first(mixed, tile_of(recall)))
        features = F.relu_(self.conv2(features))
        features = self.res_module(F.relu_(self.conv3(features)), recall)
        features = F.relu_(self.deconv1(features))
        features = F.relu_(self.deconv2(features))
        if self.pyramid_module is not None:
            features = self.pyramid_module(features, recall)
        with torch.autocast(mixed.device.type, enabled=False):  # eight bits of mantissa would show as banding
            transmission = crop(F.relu(self.deconv3(features.to(mixed.dtype))), mixed.shape[-2], mixed.shape[-1])
        return Separation({"transmission": transmission, "reflection": mixed - transmission})

    def _first(self, mixed: Tensor, tile: Tile | None) -> Tensor:
        """``conv1`` over the hypercolumn that is never built; the features are constants to training."""
        if self.backbone is None:
            first: Tensor = self.conv1(mixed)
            return first
        convolution = self.conv1.conv2d
        colour, *slices = torch.split(convolution.weight[..., 0, 0], [3, *self.backbone.channels.values()], dim=1)
        stages = ((tap, features.detach()) for tap, features in self.backbone.stages(mixed))
        weights = dict(zip(self.backbone.channels, slices, strict=True))
        assert convolution.bias is not None
        return fold(stages, weights, mixed, colour, convolution.bias, (mixed.shape[-2], mixed.shape[-1]), tile)


ENTRY = ModelEntry(
    build=Errnet,
    source="Wei et al., CVPR 2019, arXiv:1904.00637; published code Vandermode/ERRNet",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        "hypercolumn": {},
        "plain": {"hypercolumn": ()},
        "tiny": {"hypercolumn": FIRSTS[:2], "width": 16, "blocks": 1},
    },
)
