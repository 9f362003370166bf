"""The parts of MUNIT-like networks: content and style encoders, adaptive decoder, perceptron, multi-scale discriminator.

Huang et al., ECCV 2018, arXiv:1804.04732. Attribute names are those of the published state dicts.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.global_context import GlobalMean, GlobalNorm, RecallSequential
from limpid.layers.context import GlobalModule, PassesRecall, Recall, recalled

Norm = Literal["none", "instance", "adaptive", "layer"]
_ACTIVATIONS: dict[str, nn.Module] = {"relu": nn.ReLU(), "leaky": nn.LeakyReLU(0.2), "tanh": nn.Tanh(), "none": nn.Identity()}


class AdaptiveNorm(nn.Module):
    """Instance norm whose shift and scale come with the call (Huang & Belongie, ICCV 2017, arXiv:1703.06868).

    The two buffers are published with every checkpoint and used by nothing.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = GlobalNorm()
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, features: Tensor, style: Tensor, recall: Recall | None = None) -> Tensor:
        """Features (B, C, H, W) and style (B, 2C), first the shifts, then the scales → (B, C, H, W)."""
        shift, scale = style[:, :, None, None].chunk(2, dim=1)
        normed: Tensor = self.norm(features, recall)
        return normed * scale + shift


class SampleNorm(GlobalModule):
    """Norm over channels, rows and columns of each sample, by the unbiased deviation, then scale and shift per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        statistics = recalled(recall, self, lambda: torch.std_mean(features, dim=(1, 2, 3), keepdim=True), [(1, 1, 1)] * 2)
        deviation, mean = statistics
        return (features - mean) / (deviation + 1e-5) * self.gamma[:, None, None] + self.beta[:, None, None]


class PaddedConv(nn.Module, PassesRecall):
    """Reflect padding, convolution with bias, norm, activation: (B, C, H, W) → (B, C', H/stride, W/stride)."""

    def __init__(
        self,
        channels: int,
        out: int,
        side: int,
        *,
        stride: int = 1,
        padding: int,
        norm: Norm = "none",
        activation: Literal["relu", "leaky", "tanh", "none"] = "relu",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, side, stride=stride, padding=padding, padding_mode="reflect")
        self.norm = _norm(norm, out)
        self.activation = _ACTIVATIONS[activation]

    def forward(self, features: Tensor, recall: Recall | None = None, style: Tensor | None = None) -> Tensor:
        """``style``: (B, 2C'), only with the adaptive norm."""
        features = self.conv(features)
        if style is not None:
            features = self.norm(features, style, recall)
        elif isinstance(self.norm, PassesRecall):
            features = self.norm(features, recall)
        activated: Tensor = self.activation(features)
        return activated


class Residual(nn.Module):
    """Two 3×3 convolutions with norms around a short cut, nothing after the sum: same shape out."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.model = nn.ModuleList(
            PaddedConv(channels, channels, 3, padding=1, norm=norm, activation=activation) for activation in ("relu", "none")
        )

    def forward(
        self, features: Tensor, recall: Recall | None = None, styles: tuple[Tensor | None, Tensor | None] = (None, None)
    ) -> Tensor:
        """``styles``: (B, 2C) for each of the two norms, only with the adaptive one."""
        refined: Tensor = self.model[1](self.model[0](features, recall, styles[0]), recall, styles[1])
        return features + refined


class Residuals(nn.Module, PassesRecall):
    """A row of residual blocks: same shape out."""

    def __init__(self, channels: int, count: int, norm: Norm) -> None:
        super().__init__()
        self.model = nn.ModuleList(Residual(channels, norm) for _ in range(count))

    def forward(self, features: Tensor, recall: Recall | None = None, style: Tensor | None = None) -> Tensor:
        """``style``: (B, 4C · blocks), cut into the parts of the norms in their order, only with the adaptive norm."""
        parts = [None] * 2 * len(self.model) if style is None else style.chunk(2 * len(self.model), dim=1)
        for index, block in enumerate(self.model):
            features = block(features, recall, (parts[2 * index], parts[2 * index + 1]))
        return features


class ContentEncoder(nn.Module):
    """Photo (B, 3, H, W) → content (B, 4 · width, H/4, W/4); H, W multiples of 4."""

    def __init__(self, width: int, residuals: int) -> None:
        super().__init__()
        self.model = RecallSequential(
            PaddedConv(3, width, 7, padding=3, norm="instance"),
            PaddedConv(width, 2 * width, 4, stride=2, padding=1, norm="instance"),
            PaddedConv(2 * width, 4 * width, 4, stride=2, padding=1, norm="instance"),
            Residuals(4 * width, residuals, "instance"),
        )

    def forward(self, photo: Tensor, recall: Recall | None = None) -> Tensor:
        """Encode what the layers of a scene share."""
        content: Tensor = self.model(photo, recall)
        return content


class StyleEncoder(nn.Module):
    """Photo (B, 3, H, W), sides at least 16 → style (B, style, 1, 1)."""

    def __init__(self, width: int, style: int) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width, 4 * width, 4 * width)
        downs = [PaddedConv(a, b, 4, stride=2, padding=1) for a, b in zip(widths, widths[1:], strict=False)]
        self.model = RecallSequential(PaddedConv(3, width, 7, padding=3), *downs, GlobalMean(), nn.Conv2d(4 * width, style, 1))

    def forward(self, photo: Tensor, recall: Recall | None = None) -> Tensor:
        """Encode what is particular to the domain."""
        style: Tensor = self.model(photo, recall)
        return style


class AdaptiveDecoder(nn.Module):
    """Content (B, 4 · width, H/4, W/4) and norm parameters → image (B, 3, H, W) within −1…1 (tanh)."""

    def __init__(self, width: int, residuals: int) -> None:
        super().__init__()
        self.parameters_needed = 2 * residuals * 2 * 4 * width
        self.model = nn.ModuleList(
            (
                Residuals(4 * width, residuals, "adaptive"),
                nn.Upsample(scale_factor=2),
                PaddedConv(4 * width, 2 * width, 5, padding=2, norm="layer"),
                nn.Upsample(scale_factor=2),
                PaddedConv(2 * width, width, 5, padding=2, norm="layer"),
                PaddedConv(width, 3, 7, padding=3, activation="tanh"),
            )
        )

    def forward(self, content: Tensor, style: Tensor, recall: Recall | None = None) -> Tensor:
        """``style``: (B, ``parameters_needed``), shifts and scales of the adaptive norms in their order."""
        features: Tensor = self.model[0](content, recall, style)
        for layer in self.model[1:]:
            features = layer(features, recall) if isinstance(layer, PassesRecall) else layer(features)
        return features


class Dense(nn.Module):
    """A linear layer under its published name ``fc``, with or without ReLU: (B, C) → (B, C')."""

    def __init__(self, channels: int, out: int, *, activated: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, out)
        self.activated = activated

    def forward(self, features: Tensor) -> Tensor:
        """Map vectors."""
        mapped: Tensor = self.fc(features)
        return mapped.relu() if self.activated else mapped


class Perceptron(nn.Module):
    """``layers`` linear layers with ReLU between them: (B, C) or (B, C, 1, 1) → (B, C')."""

    def __init__(self, channels: int, out: int, *, hidden: int, layers: int) -> None:
        super().__init__()
        widths = (channels, *[hidden] * (layers - 1), out)
        self.model = nn.Sequential(
            *(Dense(a, b, activated=index < layers - 1) for index, (a, b) in enumerate(zip(widths, widths[1:], strict=False)))
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map vectors."""
        mapped: Tensor = self.model(features.flatten(1))
        return mapped


class MultiScaleDiscriminator(nn.Module):
    """Least-squares patch discriminators on an image and its halves: (B, 3, H, W) → a raw map per scale, the largest image's first.

    ``width``: channels after the first layer, doubled by each further one; ``layers``: convolutions that halve the map, so that
    the first is (B, 1, H/16, W/16) with the 4 of MUNIT; ``scales``: number of sizes, each half the one before. ``fused``: one map
    in 0…1 instead, as the authors of SILS have it: the running sum of all, each time resized to the next smaller one, over their
    number, through a sigmoid; least squares on it have vanishing slopes. The smallest image must keep 2 pixels before its last
    layer.
    """

    def __init__(self, *, width: int = 64, layers: int = 4, scales: int = 3, fused: bool = False) -> None:
        super().__init__()
        self.fused = fused
        self.cnns = nn.ModuleList(self._patches(width, layers) for _ in range(scales))

    @staticmethod
    def _patches(width: int, layers: int) -> nn.Sequential:
        widths = (3, *(width * 2**layer for layer in range(layers)))
        convs = (PaddedConv(a, b, 4, stride=2, padding=1, activation="leaky") for a, b in zip(widths, widths[1:], strict=False))
        return nn.Sequential(*convs, nn.Conv2d(widths[-1], 1, 1))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Judge patches: 1 is real, 0 is made."""
        maps = []
        for cnn in self.cnns:
            maps.append(cnn(image))
            image = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
        return [_fused(maps)] if self.fused else maps


def _fused(maps: list[Tensor]) -> Tensor:
    total = maps[0]
    for smaller in maps[1:]:
        total = F.interpolate(total, size=smaller.shape[-2:], mode="bilinear", align_corners=False) + smaller
    return torch.sigmoid(total / len(maps))


def _norm(norm: Norm, channels: int) -> nn.Module:
    if norm == "adaptive":
        return AdaptiveNorm(channels)
    if norm == "layer":
        return SampleNorm(channels)
    return GlobalNorm() if norm == "instance" else nn.Identity()
