"""The hypercolumn network: a frozen backbone's maps and the photo, then ten convolutions of growing dilation.

Zhang, Ng & Chen, CVPR 2018 (arXiv:1806.05376), with the backbones, residual forms and reduced hypercolumns of the PyTorch port
PINTO0309/reflection-removal (MIT). The hypercolumn itself is never built (``blocks/hypercolumn.py``), and in evaluation mode
the adaptive normalisation is folded into the convolutions; both are exact.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.backbones.vgg19 import SLICES
from limpid.blocks.global_context import cuts_of
from limpid.blocks.hypercolumn import fold, project
from limpid.blocks.resize import add_cut, add_enlarged, enlarge
from limpid.blocks.weight_init import kaiming_normal
from limpid.catalogue import ModelEntry
from limpid.errors import SettingError, UnknownNameError
from limpid.layers.context import Context, Recall, recalled
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation

DILATIONS = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 9: 1}
"""Number of a 3×3 convolution (there is no eighth) → its dilation."""

SCALES = ("residual_scales", "rir_inner_scales", "rir_group_scales", "output_skip_scale")
"""What a residual variant adds to its baseline."""

VARIANTS = ("baseline", "residual_skips", "residual_in_residual_skips")

BACKBONES: Mapping[str, Mapping[str, Any]] = {
    "vgg19": {"taps": SLICES, "normalised": True},
    "hgnetv2": {},
    "dinov3_vitt": {},
    "dinov3_vits16": {},
    "dinov3_vits16plus": {},
    "dinov3_vitb16": {},
}
"""Backbone in the catalogue → the settings that this network uses."""


class AdaptiveNorm(nn.Module):
    """w0·x + w1·BatchNorm(x), starting as the identity; (B, C, H, W) → the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.w0 = nn.Parameter(torch.ones(1))
        self.w1 = nn.Parameter(torch.zeros(1))
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Mix the features with their normalised form."""
        mixed: Tensor = self.w0 * features + self.w1 * self.bn(features)
        return mixed

    def as_scale_and_shift(self) -> tuple[Tensor, Tensor]:
        """The same map with the running statistics as a·x + b: two of (C,)."""
        norm = self.bn
        assert norm.running_var is not None
        assert norm.running_mean is not None
        slope = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return self.w0 + self.w1 * slope, self.w1 * (norm.bias - slope * norm.running_mean)


class Stage(nn.Module):
    """Convolution that keeps the size, adaptive norm, LeakyReLU 0.2; starts by copying channels. (B, C, H, W) → (B, D, H, W)."""

    def __init__(self, before: int, after: int, *, kernel: int = 3, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.norm = AdaptiveNorm(after)
        nn.init.dirac_(self.conv.weight)
        _clear(self.conv)

    def forward(self, features: Tensor) -> Tensor:
        """Refine features; one convolution in evaluation mode."""
        weight, bias = self.folded()
        found = F.conv2d(features, weight, bias, padding=self.conv.padding, dilation=self.conv.dilation)
        return self.activate(found)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias, which in evaluation mode hold the norm."""
        bias = _bias(self.conv)
        if self.training:
            return self.conv.weight, bias
        scale, shift = self.norm.as_scale_and_shift()
        return self.conv.weight * scale[:, None, None, None], bias * scale + shift

    def activate(self, found: Tensor) -> Tensor:
        """What follows the folded convolution."""
        return F.leaky_relu(self.norm(found), 0.2) if self.training else F.leaky_relu_(found, 0.2)


class Hypercolumn(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission and reflection, unclamped; sides of at least 16.

    ``backbone``: ``vgg19``, ``hgnetv2``, ``dinov3_vitt``, ``dinov3_vits16``, ``dinov3_vits16plus`` or ``dinov3_vitb16``, frozen.
    ``variant``: how the eight dilated convolutions are joined; ``residual_init``: first value of their scales.
    ``output_skip_scale``: first value of s in T = I + s·ΔT (residual variants only), None for T = ΔT. ``reduction``: distributed
    hypercolumn, each tap reduced by 1×1 to ⌈C / reduction⌉ channels, or these channels themselves, one per tap; None: the full one.
    ``width``: channels of the head. ``stretch_padding``: let maps of a padded photo cover the unpadded one, as the port does,
    instead of cropping (transformers, sides that are no multiple of 16). ``head_size``, (height, width) or None, may be set at any
    time: the head then runs, and the network answers, at that resolution. Raises UnknownNameError and SettingError.
    """

    needs = Needs(minimum=16, phase=16, tiling="discouraged")
    no_weight_decay = SCALES
    may_start_new = SCALES
    head_size: tuple[int, int] | None = None

    def __init__(
        self,
        *,
        backbone: str = "vgg19",
        variant: Literal["baseline", "residual_skips", "residual_in_residual_skips"] = "baseline",
        residual_init: float = 0.1,
        output_skip_scale: float | None = None,
        reduction: int | tuple[int, ...] | None = None,
        width: int = 64,
        stretch_padding: bool = False,
    ) -> None:
        super().__init__()
        _check(backbone, variant, output_skip_scale)
        self.backbone: Backbone = catalogue.find("backbones", backbone).build(**BACKBONES[backbone])
        self.backbone_name, self.variant, self.stretch_padding = backbone, variant, stretch_padding
        self.radius = (self.backbone.reach or 0) + sum(DILATIONS.values())  # without a reach, the rest is in the context
        stacked = self._add_reducers(reduction, width)
        self.conv0 = Stage(stacked, width, kernel=1)
        for number, dilation in DILATIONS.items():
            self.add_module(f"conv{number}", Stage(width, width, dilation=dilation))
        self.conv_last = nn.Conv2d(width, 6, 1)
        kaiming_normal(self.conv_last.weight, slope=0.2)
        _clear(self.conv_last)
        scales = partial(_scales, value=residual_init)
        if variant == "residual_skips":
            self.residual_scales = scales(8)
        if variant == "residual_in_residual_skips":
            self.rir_inner_scales, self.rir_group_scales = scales(8), scales(2)
        if output_skip_scale is not None:
            self.output_skip_scale = nn.Parameter(torch.tensor(float(output_skip_scale)))

    def global_modules(self) -> dict[str, nn.Module]:
        """The backbone, where every pixel of its maps sees the whole photo."""
        return {} if self.backbone.reach is not None else {"backbone": self.backbone}

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape, or of ``head_size``."""
        return self._separated(self.backbone.stages(mixed), mixed, recall)

    def from_maps(self, maps: Mapping[str, Tensor], mixed: Tensor) -> Separation:
        """The same, given the maps that the backbone finds on the photo: tap → (B, C, h, w), shallow to deep."""
        return self._separated(maps.items(), mixed, None)

    def _separated(self, stages: Iterable[tuple[str, Tensor]], mixed: Tensor, recall: Recall | None) -> Separation:
        photo = mixed if self.head_size is None else enlarge(mixed, self.head_size)
        features = self._dilated(self.conv0.activate(self._first(stages, mixed, photo, recall)))
        with torch.autocast(mixed.device.type, enabled=False):  # eight bits of mantissa would show as banding
            transmission, reflection = self.conv_last(features.to(mixed.dtype)).chunk(2, dim=1)
        if hasattr(self, "output_skip_scale"):
            transmission = photo + self.output_skip_scale * transmission
        return Separation({"transmission": transmission, "reflection": reflection})

    def _add_reducers(self, reduction: int | tuple[int, ...] | None, width: int) -> int:
        """Make the reducers and their projector, if any; channels that enter ``conv0``."""
        channels = self.backbone.channels
        if reduction is None:
            return sum(channels.values()) + 3
        if isinstance(reduction, int):
            reduction = tuple(-(-count // reduction) for count in channels.values())
        if len(reduction) != len(channels):
            raise SettingError(f"reduction {reduction} must name channels for each of the taps {', '.join(channels)}")
        made = {tap: nn.Conv2d(channels[tap], count, 1) for tap, count in zip(channels, reduction, strict=True)}
        self.reducers, self.projector = nn.ModuleDict(made), nn.Conv2d(sum(reduction) + 3, width, 1)
        for convolution in (*made.values(), self.projector):
            kaiming_normal(convolution.weight, mode="fan_out")
            _clear(convolution)
        return width

    def _first(self, stages: Iterable[tuple[str, Tensor]], mixed: Tensor, photo: Tensor, recall: Recall | None) -> Tensor:
        """The convolution of ``conv0`` over the hypercolumn that is never built."""
        weight, bias = self.conv0.folded()
        *slices, colour, bias = self._slices(weight[..., 0, 0], bias)
        weights = dict(zip(self.backbone.channels, slices, strict=True))
        if self.backbone.reach is not None:
            return fold(stages, weights, photo, colour, bias, self._covered(_size(mixed), _size(photo)))
        shapes = [(len(weight), None, None) for weight in weights.values()]
        products = recalled(recall, self.backbone, lambda: project(stages, weights), shapes)
        context = None if recall is None else recall.context
        return self._joined(products, F.conv2d(photo, colour[..., None, None], bias), _size(mixed), context)

    def _joined(self, products: Iterable[Tensor], total: Tensor, seen: tuple[int, int], context: Context | None) -> Tensor:
        """Sum of ``total`` and of the maps of a photo of size ``seen``, enlarged; in a tile, of those of the whole photo."""
        size = _size(total)
        if context is None or context.tile is None:
            covered = self._covered(seen, size)
            for product in products:
                total = add_enlarged(total, product, covered)
            return total
        tile = context.tile
        covered = self._covered(context.seen, (tile.height, tile.width))
        for product in products:
            total = add_cut(total, product, *cuts_of(tile, _size(product), size, covered))
        return total

    def _slices(self, matrix: Tensor, bias: Tensor) -> list[Tensor]:
        """Matrices (D, C) of the taps and of the photo, then the bias, with reducers and projector multiplied in."""
        if not hasattr(self, "projector"):
            return [*torch.split(matrix, [*self.backbone.channels.values(), 3], dim=1), bias]
        reducers = [
            (reducer.weight[..., 0, 0], _bias(reducer)) for reducer in self.reducers.values() if isinstance(reducer, nn.Conv2d)
        ]
        joined = matrix @ self.projector.weight[..., 0, 0]
        *slices, colour = torch.split(joined, [*(len(offset) for _, offset in reducers), 3], dim=1)
        bias = bias + matrix @ _bias(self.projector)
        for part, (_, offset) in zip(slices, reducers, strict=True):
            bias = bias + part @ offset
        return [*(part @ reducer for part, (reducer, _) in zip(slices, reducers, strict=True)), colour, bias]

    def _covered(self, seen: tuple[int, int], grid: tuple[int, int]) -> tuple[int, int]:
        """Size of the maps on a grid of pixels that holds the photo the backbone has ``seen``; heights and widths."""
        if self.stretch_padding:
            return grid
        rows, columns = self.backbone.covered(*seen)
        if grid == seen:
            return rows, columns
        return (2 * grid[0] * rows + seen[0]) // (2 * seen[0]), (2 * grid[1] * columns + seen[1]) // (2 * seen[1])  # rounded

    def _dilated(self, features: Tensor) -> Tensor:
        stages: list[Stage] = [getattr(self, f"conv{number}") for number in DILATIONS]
        if self.variant == "baseline":
            for stage in stages:
                features = stage(features)
        elif self.variant == "residual_skips":
            for stage, scale in zip(stages, self.residual_scales, strict=True):
                features = _add_scaled(features, stage(features), scale)
        else:
            inner = self.rir_inner_scales
            for group, outer in enumerate(self.rir_group_scales):
                entered = features
                for index in range(4 * group, 4 * group + 4):
                    features = _add_scaled(features, stages[index](features), inner[index])
                features = torch.lerp(entered, features, outer)
        return features


def _size(features: Tensor) -> tuple[int, int]:
    return features.shape[-2], features.shape[-1]


def _add_scaled(features: Tensor, change: Tensor, scale: Tensor) -> Tensor:
    """Sum of features and scale · change, reusing the memory of ``change`` when no gradient is wanted."""
    return features + scale * change if torch.is_grad_enabled() else change.mul_(scale).add_(features)


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias


def _clear(convolution: nn.Conv2d) -> None:
    nn.init.zeros_(_bias(convolution))


def _scales(count: int, *, value: float) -> nn.ParameterList:
    return nn.ParameterList(nn.Parameter(torch.tensor(float(value))) for _ in range(count))


def _check(backbone: str, variant: str, output_skip_scale: float | None) -> None:
    if backbone not in BACKBONES:
        raise UnknownNameError("backbone", backbone, BACKBONES)
    if variant not in VARIANTS:
        raise UnknownNameError("variant", variant, VARIANTS)
    if output_skip_scale is not None and variant == "baseline":
        raise SettingError(f"output_skip_scale needs a residual variant ({', '.join(VARIANTS[1:])}); got {variant}")


ENTRY = ModelEntry(
    build=Hypercolumn,
    source="Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376; variants of PINTO0309/reflection-removal (MIT)",
    licence="MIT (PINTO0309); DINOv3 backbones under the DINOv3 licence",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        **{name: {"backbone": name} for name in BACKBONES},
        "tiny": {
            "backbone": "hgnetv2",
            "variant": "residual_in_residual_skips",
            "output_skip_scale": 1.0,
            "reduction": (16, 32, 64, 64),
            "width": 8,
        },
    },
)
