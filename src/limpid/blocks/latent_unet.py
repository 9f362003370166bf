"""U-Nets whose encoder and decoder are two networks: the whole pyramid between them is the latent code of a layer.

Liu & Lu, "Separate In Latent Space", AAAI 2020, arXiv:1906.00734. Marks, as in the specification: [C] read in the authors' code
(DreamtaleCore/USIS, commit 53a91ca), [X] chosen here.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from limpid.blocks.global_context import GlobalNorm, RecallSequential
from limpid.layers.context import Recall

Norm = Literal["in", "bn", "none"]
Upsampling = Literal["transposed", "resize"]
WIDEST = 512
"""Most channels of a stage [C]."""

_SLOPE = 0.2


def widths(width: int, depth: int) -> list[int]:
    """Channels of the stages 0 … ``depth`` [C]."""
    return [min(width * 2**stage, WIDEST) for stage in range(depth + 1)]


class LatentEncoder(nn.Module):
    """Image (B, 3, H, W) → ``depth`` + 1 maps, fine to coarse, all activated (leaky 0.2).

    Stage 0 halves the image by a 4×4 convolution [C], or keeps its size by a 3×3 one with ``full_stem`` [X]; every further one
    halves: convolution 4×4, norm, activation. The authors activate a map in place when the next stage takes it, so that skips and
    losses see it activated [C]; here that happens at once, which is the same. ``bias``: of convolutions that no norm follows [X];
    the authors have none at all [C].
    """

    def __init__(self, *, width: int, depth: int, norm: Norm, bias: bool, full_stem: bool) -> None:
        super().__init__()
        channels = widths(width, depth)
        stem = nn.Conv2d(3, width, 3, padding=1, bias=bias) if full_stem else nn.Conv2d(3, width, 4, 2, 1, bias=bias)
        stages: list[nn.Module] = [RecallSequential(stem, nn.LeakyReLU(_SLOPE))]
        for before, after in zip(channels, channels[1:], strict=False):
            convolution = nn.Conv2d(before, after, 4, 2, 1, bias=bias and norm == "none")
            stages.append(RecallSequential(convolution, *_norm(norm, after), nn.LeakyReLU(_SLOPE)))
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor, recall: Recall | None = None) -> list[Tensor]:
        """The pyramid: map i is (B, min(width · 2^i, 512), H / 2^(i + 1), …), one size larger each with a full stem."""
        pyramid = []
        for stage in self.stages:
            image = stage(image, recall)
            pyramid.append(image)
        return pyramid


class LatentDecoder(nn.Module):
    """Pyramid → image (B, 3, H, W): each stage enlarges twofold and takes the encoder's map of its size beside its own [C].

    The head is linear: no activation follows the last convolution [C]. ``upsampling``: transposed convolutions [C], or ``resize``:
    nearest enlargement and a 3×3 convolution [X], as the authors' own figure shows checkerboards. ``skips`` off: only the coarsest
    map is used [X].
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        norm: Norm,
        bias: bool,
        full_stem: bool,
        upsampling: Upsampling,
        skips: bool,
    ) -> None:
        super().__init__()
        self.skips = skips
        channels = widths(width, depth)
        taken = [2 * count if skips else count for count in channels[:-1]]  # what a stage takes, but for the coarsest
        stages: list[nn.Module] = []
        for stage in range(depth, 0, -1):
            before = channels[stage] if stage == depth else taken[stage]
            up = _up(before, channels[stage - 1], upsampling, bias=bias and norm == "none")
            stages.append(RecallSequential(nn.LeakyReLU(_SLOPE), *up, *_norm(norm, channels[stage - 1])))
        self.stages = nn.ModuleList(stages)
        head = [nn.Conv2d(taken[0], 3, 3, padding=1, bias=bias)] if full_stem else _up(taken[0], 3, upsampling, bias=bias)
        self.head = nn.Sequential(*head)

    def forward(self, pyramid: Sequence[Tensor], recall: Recall | None = None) -> Tensor:
        """Decode the encoder's maps, fine to coarse."""
        features = pyramid[-1]
        for stage, below in zip(self.stages, reversed(pyramid[:-1]), strict=True):
            features = stage(features, recall)
            features = torch.cat((features, below), dim=1) if self.skips else features
        image: Tensor = self.head(features)
        return image


def _norm(norm: Norm, channels: int) -> list[nn.Module]:
    if norm == "none":
        return []
    return [GlobalNorm() if norm == "in" else nn.BatchNorm2d(channels)]


def _up(before: int, after: int, kind: Upsampling, *, bias: bool) -> list[nn.Module]:
    if kind == "transposed":
        return [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=bias)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1, bias=bias)]
