"""YTMT: two U-Nets on a VGG-19 hypercolumn that hand each other what their ReLUs would throw away.

Hu & Guo, "Trash or Treasure? An Interactive Dual-Stream Strategy for Single Image Reflection Separation", NeurIPS 2021,
arXiv:2110.10546 (code: mingcv/YTMT-Strategy). Two layouts are published: two whole U-Nets, each reading its own positive and the
other one's negative part (the released files, ``public``), and a refactored one in which both streams cross at the end of each
block (by a convolution, ``concatenate``, or by a sum, ``add``). The two-stage network (UCT) looks at the layers of the first
stage anew; that one is frozen, as only the second is trained. Attribute names are those of the files, without one convolution that
they hold and never use.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.backbones.vgg19 import FIRSTS, Vgg19
from limpid.blocks.exchange import Crossing, Down, Layers, Level, Out, Pair, Pattern, Up, attention, conv, exchange, join
from limpid.blocks.global_context import Doubling
from limpid.blocks.hypercolumn import fold_neighbours
from limpid.catalogue import ModelEntry
from limpid.errors import SettingError
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs, Resize
from limpid.layers.separation import Separation

_GROWTH = (1, 2, 4, 8, 8)  # channels by level, in widths


class TwoUnets(nn.Module):
    """The public network: a U-Net for each stream, ``width`` channels at full size; ``inputs``: channels of the hypercolumn."""

    def __init__(self, inputs: int, width: int, reduction: int) -> None:
        super().__init__()
        c = [width * growth for growth in _GROWTH]
        for stream in (1, 2):
            self.add_module(f"inc_{stream}", Layers(conv(inputs, width), *attention(width, reduction)))
            for level in range(1, 5):
                self.add_module(f"down{level}_{stream}", Down(c[level - 1], c[level], reduction))
                deep, out = c[4 - level], c[max(3 - level, 0)]
                self.add_module(f"up{level}_{stream}", Up(deep, out, reduction, stride=16 >> (level - 1)))
            self.add_module(f"outc_{stream}", Out(width))

    def firsts(self) -> list[nn.Conv2d]:
        """The first convolution of each stream."""
        return [self.get_submodule(f"inc_{stream}.model.0") for stream in (1, 2)]  # type: ignore[misc]

    def forward(self, maps: Pair, recall: Recall | None = None) -> Pair:
        """Two of (B, width, H, W), already convolved from the hypercolumn → two images."""
        entered = [self.get_submodule(f"inc_{stream}").get_submodule("model") for stream in (1, 2)]
        first, second = (attend[2](attend[1](features), recall) for attend, features in zip(entered, maps, strict=True))  # type: ignore[index]
        crossed = exchange((first, second))
        skips = []
        for level in range(1, 5):
            skips.append(crossed)
            crossed = exchange(self._both(f"down{level}", crossed, recall))
        for level in range(1, 5):
            deep, skip = crossed, skips.pop()
            ups = [self.get_submodule(f"up{level}_{stream}").up for stream in (1, 2)]
            crossed = exchange((ups[0](deep[0], skip[0], recall), ups[1](deep[1], skip[1], recall)))  # type: ignore[operator]
        return self.get_submodule("outc_1")(crossed[0]), self.get_submodule("outc_2")(crossed[1])

    def _both(self, name: str, maps: Pair, recall: Recall | None) -> Pair:
        first, second = (self.get_submodule(f"{name}_{stream}")(maps[stream - 1], recall) for stream in (1, 2))
        return first, second


class Ends(nn.Module):
    """The last convolution of each stream."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_l, self.conv_r = (nn.Sequential(conv(width, 3), nn.Sigmoid()) for _ in range(2))


class CrossedUnet(nn.Module):
    """The refactored network; arguments as ``TwoUnets``."""

    def __init__(self, inputs: int, width: int, reduction: int, pattern: Pattern) -> None:
        super().__init__()
        c = [width * growth for growth in _GROWTH]
        self.inc = Crossing(Layers(conv(inputs, width)), Layers(conv(inputs, width)), width, pattern)
        for level in range(1, 5):
            self.add_module(f"down{level}", Level(c[level - 1], c[level], reduction, pattern))
            self.add_module(f"up{level}", Level(2 * c[4 - level], c[max(3 - level, 0)], reduction, pattern))
        self.enlarge = nn.ModuleList(Doubling(stride=stride) for stride in (16, 8, 4, 2))
        self.outc = Ends(width)

    def firsts(self) -> list[nn.Conv2d]:
        """The first convolution of each stream."""
        return [self.get_submodule(f"inc.conv_{side}.model.0") for side in "lr"]  # type: ignore[misc]

    def forward(self, maps: Pair, recall: Recall | None = None) -> Pair:
        """Two of (B, width, H, W), already convolved from the hypercolumn → two images."""
        maps = self.inc.ytmt_head(maps)
        skips = []
        for level in range(1, 5):
            skips.append(maps)
            maps = self.get_submodule(f"down{level}")((F.max_pool2d(maps[0], 2), F.max_pool2d(maps[1], 2)), recall)
        for level, enlarge in enumerate(self.enlarge, 1):
            skip = skips.pop()
            first, second = (join(own, enlarge(deep, recall)) for own, deep in zip(skip, maps, strict=True))
            maps = self.get_submodule(f"up{level}")((first, second), recall)
        return self.outc.conv_l(maps[0]), self.outc.conv_r(maps[1])


class Ytmt(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission and reflection, 0…1; sides of at least 16.

    ``pattern``: see ``Pattern``; ``stages``: 1 or 2, the first of two is frozen; ``width``: channels at full size; ``reduction``:
    channels per hidden unit of the attention; ``hypercolumn``: taps of VGG-19 beside the photo. ``transmission_1`` … are
    the stages. Raises SettingError.
    """

    needs = Needs(minimum=16, phase=16, tiling="discouraged", resize=Resize(multiple=16, resampling="bicubic"))

    def __init__(
        self,
        *,
        pattern: Pattern = "public",
        stages: int = 2,
        width: int = 64,
        reduction: int = 8,
        hypercolumn: tuple[str, ...] = FIRSTS,
    ) -> None:
        super().__init__()
        if stages not in (1, 2) or not 0 < reduction <= width:
            raise SettingError(f"YTMT has 1 or 2 stages, its width is at least its reduction; got {stages}, {width}, {reduction}")
        self.backbone = Vgg19(taps=hypercolumn)
        inputs = 3 + sum(self.backbone.channels.values())

        def stage() -> nn.Module:
            return TwoUnets(inputs, width, reduction) if pattern == "public" else CrossedUnet(inputs, width, reduction, pattern)

        self.icnn = stage()  # named as in the published files
        if stages == 2:
            self.icnn.requires_grad_(False)
            self.icnn2 = stage()
            self.starts_as = {"icnn2": "icnn"}
        self.radius = stages * ((self.backbone.reach or 0) + _RADIUS)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        layers: Pair = self.icnn(self._enter(self.icnn, (mixed, mixed)), recall)
        steps = {"transmission_1": layers[0], "reflection_1": layers[1]}
        if hasattr(self, "icnn2"):
            layers = self.icnn2(self._enter(self.icnn2, layers), recall)
            steps |= {"transmission_2": layers[0], "reflection_2": layers[1]}
        return Separation({"transmission": layers[0], "reflection": layers[1]}, steps=steps)

    def _enter(self, stage: nn.Module, images: Pair) -> Pair:
        """The first convolution of each stream over the hypercolumn of its image; one image for both is looked at once."""
        firsts: list[nn.Conv2d] = stage.firsts()  # type: ignore[operator]
        if images[0] is images[1]:
            weight, bias = (torch.cat([first.get_parameter(name) for first in firsts]) for name in ("weight", "bias"))
            left, right = self._fold(images[0], weight, bias).chunk(2, dim=1)
            return left.contiguous(), right.contiguous()
        left, right = (
            self._fold(image, first.weight, first.get_parameter("bias")) for image, first in zip(images, firsts, strict=True)
        )
        return left, right

    def _fold(self, image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """What comes of the features is constant to training."""
        return fold_neighbours(((tap, features.detach()) for tap, features in self.backbone.stages(image)), image, weight, bias)


_RADIUS = 1 + (2 + 4 + 8 + 16) + 15 + (8 + 4 + 2 + 1) + (16 + 8 + 4 + 2) + 1
"""Pixels beside those of the taps: a convolution at each level and back, a pixel's place in its cell, two cells when enlarged."""

ENTRY = ModelEntry(
    build=Ytmt,
    source="Hu & Guo, NeurIPS 2021, arXiv:2110.10546 (mingcv/YTMT-Strategy)",
    licence="Apache-2.0",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        "uct": {},
        "ucs_public": {"stages": 1},
        "ucs": {"pattern": "concatenate", "stages": 1},
        "uas": {"pattern": "add", "stages": 1},
        "tiny": {"width": 8, "reduction": 1, "hypercolumn": FIRSTS[:2]},
    },
)
