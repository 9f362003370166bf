"""RAGNet: the reflection first, then the transmission, guided by it and by masks of where it hides what lies behind.

Li, Liu, Yi, Li, Ren & Zuo, "Two-Stage Single Image Reflection Removal with Reflection-Aware Guidance", arXiv:2012.00945 (code:
liyucs/RAGNet). Three VGG-19 trunks, trained, on a photo whose colours are in the order blue, green, red, as the authors read it.
Norms take the statistics of the photo at hand, also in training: theirs take those of a batch, which held one photo. Attribute
names are those of the files, without the last level of the reflection's trunk, which they hold and never use.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.backbones._vgg_trunk import VggTrunk
from limpid.blocks.exchange import join
from limpid.catalogue import ModelEntry
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation

_TAPS = ("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4")
_FULL = 64  # channels of the first level of VGG-19


def _norm(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, affine=True)


class Guide(nn.Module):
    """A trunk under its published name ``encoder``."""

    def __init__(self, shrink: int, levels: int = 5) -> None:
        super().__init__()
        self.encoder = VggTrunk(_TAPS[:levels], shrink=shrink)


class Convolutions(nn.Module):
    """``count`` times convolution, norm and ReLU, the last one to ``outputs`` channels: (B, C, H, W) → (B, D, H, W)."""

    def __init__(self, inputs: int, outputs: int, count: int) -> None:
        super().__init__()
        widths = [inputs] * count + [outputs]
        rows = (
            (nn.Conv2d(before, after, 3, padding=1), _norm(after), nn.ReLU())
            for before, after in zip(widths[:-1], widths[1:], strict=True)
        )
        self.conv = nn.Sequential(*(module for row in rows for module in row))

    def forward(self, features: Tensor) -> Tensor:
        """One after the other."""
        changed: Tensor = self.conv(features)
        return changed


class Up(nn.Module):
    """Features doubled, beside a skip of as many channels: (B, C/2, h, w) and (B, C/2, H, W) → (B, D, H, W)."""

    def __init__(self, inputs: int, outputs: int, count: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs // 2, inputs // 2, 2, stride=2)
        self.conv = Convolutions(inputs, outputs, count)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """Zeros around where sides were odd."""
        changed: Tensor = self.conv(join(skip, self.up(deep)))
        return changed


class MaskMaker(nn.Module):
    """Decoder, photo and reflection (B, 3F, H, W) → how far to trust encoder and decoder, (B, 2F, H, W), 0…1."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.mask_conv0 = nn.Conv2d(3 * features, 3 * features, 1)
        self.mask_conv1 = nn.Conv2d(3 * features, 2 * features, 1)

    def forward(self, seen: Tensor) -> Tensor:
        """Place by place."""
        return torch.sigmoid(self.mask_conv1(F.relu(self.mask_conv0(seen))))


class GuidedUp(nn.Module):
    """The same, guided: what the photo's trunk sees less what the reflection's sees, weighed by a mask, as far as it is trusted."""

    def __init__(self, inputs: int, outputs: int, count: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs // 2, inputs // 2, 2, stride=2)
        self.mask_gene = MaskMaker(inputs // 2)
        self.cv = nn.Conv2d(inputs, inputs, 3, padding=1, bias=False)
        self.bn = _norm(inputs)
        self.conv = Convolutions(inputs, outputs, count)

    def forward(self, deep: Tensor, photo: Tensor, reflection: Tensor) -> tuple[Tensor, Tensor]:
        """A partial convolution, divided by the share of its inputs that the mask lets through, and the mask (B, C, H, W)."""
        joined = join(photo - reflection, self.up(deep))
        decoded = joined[:, photo.shape[1] :]
        mask = self.mask_gene(torch.cat((decoded, photo, reflection), dim=1))
        share = F.avg_pool2d(mask, 3, stride=1, padding=1).mean(1, keepdim=True)
        share = torch.where(share == 0, torch.ones_like(share), share)
        changed: Tensor = self.conv(F.relu(self.bn(self.cv(joined * mask) / share)))
        return changed, mask


class End(nn.Module):
    """The last convolution, under its published name: (B, C, H, W) → (B, 3, H, W), 0…1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 3, 1)

    def forward(self, features: Tensor) -> Tensor:
        """To colours."""
        return torch.sigmoid(self.conv(features))


class ReflectionNetwork(nn.Module):
    """Photo (B, 3, H, W) → reflection (B, 3, H, W), 0…1."""

    def __init__(self, shrink: int) -> None:
        super().__init__()
        c = _FULL // shrink
        self.encoder = VggTrunk(_TAPS, shrink=shrink)
        self.upz1, self.upz2 = Up(16 * c, 4 * c, 4), Up(8 * c, 2 * c, 4)
        self.upz3, self.upz4 = Up(4 * c, c, 2), Up(2 * c, c, 2)
        self.outzc = End(c)

    def forward(self, photo: Tensor) -> Tensor:
        """A U-Net."""
        *skips, features = self.encoder(photo)
        for up, skip in zip((self.upz1, self.upz2, self.upz3, self.upz4), reversed(skips), strict=True):
            features = up(features, skip)
        reflection: Tensor = self.outzc(features)
        return reflection


class TransmissionNetwork(nn.Module):
    """Photo and reflection → transmission, all (B, 3, H, W), 0…1, and the masks of its stages, full size first."""

    def __init__(self, shrink: int) -> None:
        super().__init__()
        c = _FULL // shrink
        self.Encoder_I, self.Encoder_R = Guide(shrink), Guide(shrink, 4)  # the deepest map of the reflection is not asked for
        self.upy1, self.upy2 = GuidedUp(16 * c, 4 * c, 3), GuidedUp(8 * c, 2 * c, 3)
        self.upy3, self.upy4 = GuidedUp(4 * c, c, 1), GuidedUp(2 * c, c, 1)
        self.outTc = End(c)

    def forward(self, photo: Tensor, reflection: Tensor) -> tuple[Tensor, list[Tensor]]:
        """A U-Net of two trunks."""
        *skips, features = self.Encoder_I.encoder(photo)
        guides = self.Encoder_R.encoder(reflection)
        ups, masks = (self.upy1, self.upy2, self.upy3, self.upy4), list[Tensor]()
        for up, skip, guide in zip(ups, reversed(skips), reversed(guides), strict=True):
            features, mask = up(features, skip, guide)
            masks.insert(0, mask)
        transmission: Tensor = self.outTc(features)
        return transmission, masks


class Ragnet(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded, RGB → Separation of transmission and reflection, 0…1; sides of at least 16.

    ``shrink``: the channels of the published network are divided by it. It must see a photo whole: every norm takes its statistics
    over all of it. In training the steps ``mask_1`` … ``mask_4`` are how far the stages of the transmission trust their encoder
    (first half of the channels) and decoder, (B, 2F, h, w), 0…1, at full size, a half, a quarter and an eighth.
    """

    needs = Needs(minimum=16, tiling="never")

    def __init__(self, *, shrink: int = 1) -> None:
        super().__init__()
        self.GR_state, self.GT_state = ReflectionNetwork(shrink), TransmissionNetwork(shrink)  # as in the published file

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        photo = mixed.flip(1)  # its authors read blue first
        reflection = self.GR_state(photo)
        transmission, masks = self.GT_state(photo, reflection)
        steps = {f"mask_{number}": mask for number, mask in enumerate(masks, 1)} if self.training else {}
        return Separation({"transmission": transmission.flip(1), "reflection": reflection.flip(1)}, steps=steps)


ENTRY = ModelEntry(
    build=Ragnet,
    source="Li et al., arXiv:2012.00945 (liyucs/RAGNet)",
    licence="none stated: all rights reserved; ask the authors",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={"base": {}, "tiny": {"shrink": 16}},
)
