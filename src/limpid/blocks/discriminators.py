"""Discriminators of adversarial training, under their published keys; all answer with raw logits."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.errors import SettingError

_SLOPE = 0.2


class ConditionalPatchDiscriminator(nn.Module):
    """Discriminator of the hypercolumn network: patches of photo and transmission together, batch normalised.

    Photo and candidate, (B, 3, H, W) each, → logits (B, 1, h, w); 256 pixels give 30. Smallest side 24.
    Source: Zhang, Ng & Chen, CVPR 2018, as in PINTO0309/reflection-removal (2,768,705 parameters).
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(6, 64, 4, 2, 1), nn.LeakyReLU(_SLOPE))
        self.layer2 = _normalised(64, 128, stride=2)
        self.layer3 = _normalised(128, 256, stride=2)
        self.layer4 = _normalised(256, 512, stride=1)
        self.layer5 = nn.Conv2d(512, 1, 4, 1, 1)
        start_normal(self)

    def forward(self, photo: Tensor, candidate: Tensor) -> Tensor:
        """Logits of patches."""
        features = self.layer1(torch.cat((photo, candidate), dim=1))
        logits: Tensor = self.layer5(self.layer4(self.layer3(self.layer2(features))))
        return logits


class SamePadded(nn.Conv2d):
    """A convolution of 4×4 on as many zeros as TensorFlow's padding "same" adds: (B, C, H, W) → (B, D, ⌈H/s⌉, ⌈W/s⌉), s ≤ 2."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, 4, stride)

    def forward(self, features: Tensor) -> Tensor:
        """One before; after it two, or one where a stride of two meets an even side."""
        right, bottom = (1 if self.stride[0] == 2 and side % 2 == 0 else 2 for side in (features.shape[-1], features.shape[-2]))
        return super().forward(F.pad(features, (1, right, 1, bottom)))


class SmallConditionalDiscriminator(nn.Module):
    """RAGNet's discriminator: patches of photo and transmission together in four convolutions, batch normalised.

    Photo and candidate, (B, 3, H, W) each, → logits (B, 1, ⌈H/8⌉, ⌈W/8⌉). Source: Li et al., arXiv:2012.00945 (138,817 parameters);
    begins as PyTorch does, as theirs.
    """

    def __init__(self) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for before in (6, 64, 64):
            modules += [SamePadded(before, 64, 2), nn.BatchNorm2d(64), nn.LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*modules, SamePadded(64, 1, 1))

    def forward(self, photo: Tensor, candidate: Tensor) -> Tensor:
        """Logits of patches."""
        logits: Tensor = self.layers(torch.cat((photo, candidate), dim=1))
        return logits


Norm = Literal["instance", "batch", "group", "none"]
"""What stands after convolutions: instance norms without parameters, batch norms, norms of groups of eight channels, nothing."""


def norm_of(kind: Norm, channels: int) -> nn.Module:
    """A norm of so many channels."""
    if kind == "group":
        return nn.GroupNorm(max(1, channels // 8), channels)
    return {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d}[kind](channels) if kind != "none" else nn.Identity()


class PatchDiscriminator(nn.Module):
    """Patches of one image: IBCLN (``padding`` 1), ERRNet's ``disc_patch`` (2), and CycleGAN's by any number of layers.

    (B, 3, H, W) → logits (B, 1, h, w). ``layers``: convolutions that are normalised, all but the last of which halve the size;
    each further one sees patches about twice as wide (3: 70 pixels). ``width``: channels after the first convolution, doubled up
    to eight times. Sources: Isola et al., CVPR 2017; Li et al., CVPR 2020 (2,764,737 parameters); Wei et al., CVPR 2019. Raises
    SettingError.
    """

    def __init__(self, *, padding: int = 1, layers: int = 3, norm: Norm = "instance", width: int = 64) -> None:
        super().__init__()
        if layers < 1 or width < 1:
            raise SettingError(f"a discriminator has 1 or more layers and channels; got {layers} and {width}")
        modules: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, padding), nn.LeakyReLU(_SLOPE)]
        widths = [width * min(2**number, 8) for number in range(layers + 1)]
        for number, (before, after) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            convolution = nn.Conv2d(before, after, 4, 1 if number == layers else 2, padding)
            modules += [convolution, norm_of(norm, after), nn.LeakyReLU(_SLOPE)]
        self.model = nn.Sequential(*modules, nn.Conv2d(widths[-1], 1, 4, 1, padding))
        start_normal(self)

    def forward(self, candidate: Tensor) -> Tensor:
        """Logits of patches."""
        logits: Tensor = self.model(candidate)
        return logits


class PixelDiscriminator(nn.Module):
    """Each pixel for itself: CycleGAN's ``pixel``, three convolutions of one pixel.

    (B, 3, H, W) → logits (B, 1, H, W). Source: Isola et al., CVPR 2017 (1 × 1 PatchGAN).
    """

    def __init__(self, *, norm: Norm = "instance", width: int = 64) -> None:
        super().__init__()
        first, last = nn.Conv2d(3, width, 1), nn.Conv2d(2 * width, 1, 1)
        middle = nn.Conv2d(width, 2 * width, 1)
        self.model = nn.Sequential(first, nn.LeakyReLU(_SLOPE), middle, norm_of(norm, 2 * width), nn.LeakyReLU(_SLOPE), last)
        start_normal(self)

    def forward(self, candidate: Tensor) -> Tensor:
        """Logits of pixels."""
        logits: Tensor = self.model(candidate)
        return logits


class GlobalDiscriminator(nn.Module):
    """ERRNet's default discriminator ``disc_vgg``: ten convolutions, group normalised, one logit per image.

    (B, 3, H, W) → (B, 1, 1, 1). Source: Wei et al., CVPR 2019 (9,937,089 parameters).
    """

    def __init__(self) -> None:
        super().__init__()
        modules: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1), nn.LeakyReLU(_SLOPE)]
        widths = (64, 64, 128, 128, 256, 256, 512, 512, 512, 512)
        for index, (before, after) in enumerate(zip(widths, widths[1:], strict=False)):
            convolution = nn.Conv2d(before, after, 3, stride=1 if index % 2 else 2, padding=1)
            modules += [convolution, nn.GroupNorm(32, after), nn.LeakyReLU(_SLOPE)]
        self.body = nn.Sequential(*modules)
        self.tail = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(512, 1024, 1), nn.LeakyReLU(_SLOPE), nn.Conv2d(1024, 1, 1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, candidate: Tensor) -> Tensor:
        """One logit per image."""
        logits: Tensor = self.tail(self.body(candidate))
        return logits


def start_normal(network: nn.Module) -> None:
    """Weights of convolutions N(0, 0.02), their biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _normalised(before: int, after: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 4, stride, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(_SLOPE))
