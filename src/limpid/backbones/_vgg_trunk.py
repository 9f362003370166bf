"""VGG-19 as a part of a network that learns, unlike the frozen ``backbones/vgg19``."""

from collections.abc import Sequence

from torch import Tensor, nn

from limpid.backbones.vgg19 import layers


class VggTrunk(nn.Module):
    """VGG-19 (B, 3, H, W) → its maps ``taps``, shallow to deep, to the last of which it reaches; ``shrink``: of its channels."""

    def __init__(self, taps: Sequence[str], *, shrink: int = 1) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        before, table = 3, layers()
        for name, (index, channels) in table.items():
            if index > table[taps[-1]][0]:
                break
            if name.startswith("conv"):
                modules.append(nn.Conv2d(before, channels // shrink, 3, padding=1))
                before = channels // shrink
            else:
                modules.append(nn.ReLU() if name.startswith("relu") else nn.MaxPool2d(2))
        self.features = nn.Sequential(*modules)
        self.taps = {table[tap][0] for tap in taps}

    def forward(self, photo: Tensor) -> list[Tensor]:
        """Shallow to deep."""
        maps, features = [], photo
        for index, layer in enumerate(self.features):
            features = layer(features)
            if index in self.taps:
                maps.append(features)
        return maps
