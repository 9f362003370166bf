"""VGG-19 without normalisation layers (Simonyan & Zisserman, ICLR 2015, arXiv:1409.1556) as a feature extractor.

Sixteen convolutions need no library: the stack is written out here, and a test compares it to torchvision's. Names of taps are
those of the layers (``relu3_4``; ``conv3_4`` is the value before its ReLU). The published networks tap other layers than they say:
those that slice at the pools and call the result conv3_2 mean relu3_4 (``SLICES``).
"""

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from limpid.backbones._backbone import Backbone, Home, add_statistics, normalise
from limpid.blocks.weight_init import kaiming_normal
from limpid.catalogue import Entry
from limpid.errors import UnknownNameError
from limpid.weights.fetch import Remote

WIDTHS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and convolutions of each level."""

FIRSTS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
"""First activation of each level: taps 2, 7, 12, 21 and 30 of ERRNet and DSRNet."""

SLICES = ("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4")
"""Last activation of each level: the five slices of the hypercolumn network."""


def layers() -> dict[str, tuple[int, int]]:
    """Layer name → (index in torchvision's ``features``, channels), in order."""
    table: dict[str, tuple[int, int]] = {}
    index = 0
    for level, (width, count) in enumerate(WIDTHS, 1):
        for number in range(1, count + 1):
            table[f"conv{level}_{number}"] = (index, width)
            table[f"relu{level}_{number}"] = (index + 1, width)
            index += 2
        table[f"pool{level}"] = (index, width)
        index += 1
    return table


class Vgg19(Backbone):
    """The stack down to the deepest of ``taps``, under torchvision's keys (``features.N.*``).

    ``normalised``: subtract the ImageNet mean and divide by its deviation first; ERRNet, IBCLN and DSRNet feed the raw photo.
    Strides 1, 2, 4, 8, 16 by level; smallest side 16. Raises UnknownNameError for a tap that VGG-19 does not have.
    """

    mean: Tensor
    std: Tensor
    home = Home(
        files=("vgg19-dcbb9e9d.pth",),
        page="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        remote=Remote(name="vgg19-dcbb9e9d.pth", url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", sha256="dcbb9e9d"),
    )

    def __init__(self, *, taps: tuple[str, ...] = FIRSTS, normalised: bool = False) -> None:
        super().__init__()
        table = layers()
        known = [name for name in table if not name.startswith("pool")]
        for tap in taps:
            if tap not in known:
                raise UnknownNameError("layer of VGG-19", tap, known)
        ordered = sorted(taps, key=lambda tap: table[tap][0])
        self.channels = {tap: table[tap][1] for tap in ordered}
        self._taps = {table[tap][0]: tap for tap in ordered}
        self.features = _stack(max(self._taps) + 1)
        self.reach = max(reach(tap) for tap in ordered)
        self.normalised = normalised
        if normalised:
            add_statistics(self)
        self.freeze()

    def stages(self, photo: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Taps by layer name; ReLUs work in place except on a tapped convolution."""
        features = normalise(photo, self) if self.normalised else photo
        for index, layer in enumerate(self.features):
            if isinstance(layer, nn.ReLU):
                features = features.relu() if index - 1 in self._taps else features.relu_()
            else:
                features = layer(features)
            if index in self._taps:
                yield self._taps[index], features

    def rename(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Keys of torchvision are ours; the classifier and deeper layers are left out."""
        return {name: tensor for name, tensor in tensors.items() if name in self.state_dict()}


def reach(tap: str) -> int:
    """Pixels on either side of a pixel that can influence the map of ``tap`` (a convolution or its ReLU) there, once enlarged.

    A cell is followed back to the photo: a convolution adds one on each side, a pool doubles and adds one at the right;
    bilinear enlarging reads two cells.
    """
    level, number = (int(digit) for digit in tap[4:].split("_"))
    left = right = number
    for _, count in reversed(WIDTHS[: level - 1]):
        left, right = 2 * left + count, 2 * right + 1 + count
    stride = 2 ** (level - 1)
    return left if stride == 1 else max(left + 3 * stride // 2 - 1, right + stride // 2)


def _stack(length: int) -> nn.Sequential:
    """The first ``length`` modules of torchvision's ``features``, randomly filled as torchvision does."""
    modules: list[nn.Module] = []
    before = 3
    for name, (_, width) in layers().items():
        if len(modules) == length:
            break
        if name.startswith("conv"):
            convolution = nn.Conv2d(before, width, 3, padding=1)
            kaiming_normal(convolution.weight, mode="fan_out")
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
            modules.append(convolution)
        else:
            modules.append(nn.ReLU() if name.startswith("relu") else nn.MaxPool2d(2, 2))
        before = width
    return nn.Sequential(*modules)


ENTRY = Entry(
    build=Vgg19, source="Simonyan & Zisserman, ICLR 2015, arXiv:1409.1556; ImageNet weights of torchvision (BSD-3-Clause)"
)
