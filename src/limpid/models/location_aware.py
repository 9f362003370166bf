"""Location-aware reflection removal: find where the reflection dominates, then remove it, three times over.

Dong et al., "Location-aware Single Image Reflection Removal", ICCV 2021, arXiv:2012.07131 (code: zdlarr/Location-aware-SIRR). Each
turn reads the photo and the transmission so far, finds the reflection and a map of where it dominates, from Laplacians at four
scales and a memory of full size, and takes it off. Its training code was never published. Attribute names are those of its file.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.cascade import conv, double
from limpid.catalogue import ModelEntry
from limpid.errors import SettingError
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs, Resize
from limpid.layers.separation import Separation

State = tuple[Tensor, Tensor]
"""What the memory holds: output h and cell c, both (B, 2C, H, W)."""

_MOST_STEPS = 100  # the authors take 3


class Plain(nn.Module):
    """3×3 without bias, published key ``conv2d``; ``act``: an activation of its own after it."""

    def __init__(self, channels: int, act: nn.Module | None = None) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.act = act

    def forward(self, features: Tensor) -> Tensor:
        """Same shape."""
        found: Tensor = self.conv2d(features)
        return found if self.act is None else self.act(found)


class Squeeze(nn.Module):
    """Each channel times a gate of all means: (B, C, H, W) → the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.se = nn.Sequential(nn.Linear(channels, half), nn.ReLU(), nn.Linear(half, channels), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        """Gate channels."""
        gated: Tensor = features * self.se(features.mean((2, 3)))[..., None, None]
        return gated


class SqueezedBlock(nn.Module):
    """x + 0.1 · squeeze(conv(act(conv(x)))): (B, C, H, W) → the same."""

    def __init__(self, channels: int, act: nn.Module) -> None:
        super().__init__()
        self.conv1, self.conv2 = Plain(channels, act), Plain(channels)
        self.se_layer = Squeeze(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Refine."""
        changed: Tensor = self.se_layer(self.conv2(self.conv1(features)))
        return features + 0.1 * changed


class ChannelGate(nn.Module):
    """sigmoid(f(mean) + f(maximum)) of each channel, ``hidden`` units in f: (B, C, H, W) → (B, C, 1, 1)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc_1, self.fc_2 = nn.Conv2d(channels, hidden, 1, bias=False), nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Over the whole map."""
        seen = (features.mean((2, 3), keepdim=True), features.amax((2, 3), keepdim=True))
        mean, most = (self.fc_2(F.relu(self.fc_1(found))) for found in seen)
        return torch.sigmoid(mean + most)


class SpatialGate(nn.Module):
    """A gate of each pixel from mean and maximum of its channels: (B, C, H, W) → (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Around each pixel."""
        return torch.sigmoid(self.conv(torch.cat((features.mean(1, keepdim=True), features.amax(1, keepdim=True)), dim=1)))


class GatedBlock(nn.Module):
    """x + what two convolutions make of it, gated by channel and then by pixel (CBAM): (B, C, H, W) → the same."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Plain(channels, nn.ReLU()), Plain(channels)
        self.cbam_layer = nn.ModuleDict({"channel_layer": ChannelGate(channels, hidden), "spatial_layer": SpatialGate()})

    def forward(self, features: Tensor) -> Tensor:
        """Refine."""
        changed = self.conv2(self.conv1(features))
        changed = changed * self.cbam_layer["channel_layer"](changed)
        refined: Tensor = features + changed * self.cbam_layer["spatial_layer"](changed)
        return refined


class Laplacians(nn.Module):
    """One learnt 3×3 kernel a channel at 1/8, 1/4, 1/2 and 1 of the size: (B, C, H, W) → (B, 4C, H, W), coarse to fine."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        kernel = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])
        self.kernel = nn.Parameter(kernel.repeat(channels, 1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Sides are multiples of 8."""
        found = []
        for scale in (8, 4, 2, 1):
            small = images if scale == 1 else F.interpolate(images, scale_factor=1 / scale, mode="bilinear")
            edges = F.conv2d(small, self.kernel, padding=1, groups=len(self.kernel))
            found.append(edges if scale == 1 else F.interpolate(edges, scale_factor=scale, mode="bilinear"))
        return torch.cat(found, dim=1)


class LocationAware(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission and reflection, each ≥ 0; H, W multiples of 8.

    ``width``: channels of the half that detects, even, twice as many in the memory and at full size of the half that removes;
    ``steps``: turns. ``transmission_1`` … are the turns, ``confidence_1`` … where the reflection dominates, 0…1 (three times the
    same channel); in training the last turn is there at 1/2 and 1/4 of the size as well (``transmission_half``,
    ``transmission_quarter``). It must see a photo whole: gates of channels ask for means and maxima anew at each turn.
    Raises SettingError.
    """

    needs = Needs(multiple=8, minimum=8, tiling="never", resize=Resize(multiple=8))

    def __init__(self, *, width: int = 32, steps: int = 3) -> None:
        super().__init__()
        if not 1 <= steps <= _MOST_STEPS or width < 2 or width % 2:
            raise SettingError(f"this network needs 1 to {_MOST_STEPS} steps and an even width; got {steps} and {width}")
        self.steps = steps
        self._detects(width)
        self._removes(2 * width, width)

    def _detects(self, c: int) -> None:
        relu, sigmoid = nn.ReLU(), nn.Sigmoid()
        self.lap_pyramid = Laplacians(6)
        self.det_conv0 = conv(6, c, after=relu)
        for name in _IMAGE_BLOCKS:
            self.add_module(name, SqueezedBlock(c, nn.ReLU()))
        self.det_conv5 = conv(24, c, after=nn.PReLU())
        for number in _EDGE_BLOCKS:
            self.add_module(f"det_conv{number}", SqueezedBlock(c, nn.PReLU()))
        self.p_relu = nn.PReLU()
        self.det_conv_mask0 = nn.Sequential(*conv(c, c, after=relu), *conv(c, 1, after=sigmoid))
        self.conv_i, self.conv_f, self.conv_o = (conv(4 * c, 2 * c, after=sigmoid) for _ in range(3))
        self.conv_g = conv(4 * c, 2 * c, after=nn.Tanh())
        self.det_conv_mask1 = nn.Sequential(*conv(2 * c, c, after=relu), *conv(c, 3, after=relu))

    def _removes(self, c: int, hidden: int) -> None:
        relu = nn.ReLU()
        self.conv1, self.cbam_block0 = conv(10, c, 5, after=relu), GatedBlock(c, hidden)
        self.conv2, self.conv3 = conv(c, 2 * c, stride=2, after=relu), conv(2 * c, 2 * c, after=relu)
        self.cbam_block1, self.cbam_block2 = GatedBlock(2 * c, hidden), GatedBlock(2 * c, hidden)
        self.conv4 = conv(2 * c, 4 * c, stride=2, after=relu)
        self.conv5, self.conv6, self.conv7, self.conv8 = (conv(4 * c, 4 * c, after=relu) for _ in range(4))
        self.cbam_block3, self.cbam_block4, self.cbam_block5 = (GatedBlock(4 * c, hidden) for _ in range(3))
        self.diconv1, self.diconv2, self.diconv3, self.diconv4 = (
            conv(4 * c, 4 * c, dilation=2**power, after=relu) for power in range(1, 5)
        )
        self.deconv1, self.deconv2 = double(4 * c, 2 * c), double(2 * c, c)
        self.conv9, self.conv10 = conv(2 * c, 2 * c, after=relu), conv(c, c // 2, after=relu)
        self.outframe1, self.outframe2 = conv(4 * c, 3, after=relu), conv(2 * c, 3, after=relu)
        self.output = conv(c // 2, 3, after=relu)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        transmission, state = mixed, None
        steps: dict[str, Tensor] = {}
        for step in range(1, self.steps + 1):
            both = torch.cat((mixed, transmission), dim=1)
            reflection, where, state = self.detect(both, state)
            transmission, small = self.remove(torch.cat((both, reflection, where), dim=1))
            steps |= {f"transmission_{step}": transmission, f"reflection_{step}": reflection}
            steps |= {f"confidence_{step}": where.expand_as(mixed), **small}
        return Separation({"transmission": transmission, "reflection": reflection}, steps=steps)

    def detect(self, both: Tensor, state: State | None) -> tuple[Tensor, Tensor, State]:
        """Photo and transmission (B, 6, H, W) → reflection ≥ 0, where it dominates (B, 1, H, W), new memory."""
        image = self.det_conv0(both)
        for name in _IMAGE_BLOCKS:
            image = F.relu(self.get_submodule(name)(image))
        edges = self.det_conv5(self.lap_pyramid(both))
        for number in _EDGE_BLOCKS[:3]:
            edges = self.p_relu(self.get_submodule(f"det_conv{number}")(edges))
        where = self.det_conv_mask0(edges)
        for number in _EDGE_BLOCKS[3:]:
            edges = self.p_relu(self.get_submodule(f"det_conv{number}")(edges))
        found = torch.cat((image, edges * (1 - where)), dim=1)
        if state is None:
            state = (torch.zeros_like(found), torch.zeros_like(found))
        seen = torch.cat((found, state[0]), dim=1)
        cell = self.conv_f(seen) * state[1] + self.conv_i(seen) * self.conv_g(seen)
        memory = self.conv_o(seen) * torch.tanh(cell)
        return self.det_conv_mask1(memory), where, (memory, cell)

    def remove(self, found: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Photo, transmission, reflection and place (B, 10, H, W) → a better transmission ≥ 0, in training at 1/2 and 1/4 too."""
        full = self.cbam_block0(self.conv1(found))
        half = self.cbam_block2(self.cbam_block1(self.conv3(self.conv2(full))))
        features = self.conv6(self.conv5(self.conv4(half)))
        for name in ("cbam_block3", "cbam_block4", "cbam_block5", "diconv1", "diconv2", "diconv3", "diconv4", "conv7", "conv8"):
            features = self.get_submodule(name)(features)
        half = self.conv9(self.deconv1(features) + half)
        small = {}
        if self.training:
            small = {"transmission_half": self.outframe2(half), "transmission_quarter": self.outframe1(features)}
        del features  # not to be held through the layers at full size
        return self.output(self.conv10(self.deconv2(half) + full)), small


_IMAGE_BLOCKS = ("det_conv1", "det_conv2", "det_conv3", "det_conv4", "det_conv4_1", "det_conv4_2")
_EDGE_BLOCKS = (6, 7, 8, 9, 10, 11)

ENTRY = ModelEntry(
    build=LocationAware,
    source="Dong et al., ICCV 2021, arXiv:2012.07131 (zdlarr/Location-aware-SIRR); losses and constants were never published",
    licence="none stated: all rights reserved; ask the authors",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={"base": {}, "tiny": {"width": 16, "steps": 2}},
)
