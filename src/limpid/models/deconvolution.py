"""Blind deconvolution: the kernel of a shake is searched over the whole photo and taken off, and a network judges what came out.

The search is the coarse-to-fine one of Xu, Zheng & Jia (CVPR 2013) and needs no training; it finds most kernels and goes wrong on
some photos, and even the right kernel leaves rings and noise. So a NAFNet that knows nothing of kernels (Chen et al., ECCV 2022)
gives a second opinion, and a small network decides for each pixel which of the candidates to believe, the photo itself, the
NAFNet's answer or one of several deconvolutions, and repairs what is left. Learning on top of a classical deconvolution is
due to Schuler et al., "A Machine Learning Approach for Non-blind Image Deconvolution", CVPR 2013.
"""

import torch
from torch import Tensor, nn

from limpid.blocks.naf_unet import NafUNet
from limpid.catalogue import ModelEntry
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation
from limpid.models.nafnet import NafNet
from limpid.physics.blind_deconvolution import sharpened

_NOISE = (3e-4, 3e-3, 3e-2)
"""What the deconvolutions take noise and gradients to be worth at the start: from trusting the kernel to trusting the photo."""


class Finish(NafUNet):
    """All candidates, (B, 3 N, H, W) → belief in each of them and what all of them lack, (B, N + 3, H, W)."""

    channels, answers = 3 * (2 + len(_NOISE)), 2 + len(_NOISE) + 3


class Deconvolution(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded, shaken alike everywhere → Separation of ``restored``, unclamped; H, W multiples of 16.

    ``width``: channels at half resolution of the second opinion, a NafNet with ``encoder``, ``middle`` and ``decoder`` blocks
    and no attention; ``finish_width``: channels of the network that judges.
    """

    needs = Needs(multiple=16, minimum=16, tiling="discouraged")

    def __init__(
        self,
        *,
        width: int = 32,
        encoder: tuple[int, ...] = (2, 2, 4),
        middle: int = 4,
        decoder: tuple[int, ...] = (2, 2, 2),
        finish_width: int = 32,
    ) -> None:
        super().__init__()
        self.guess = NafNet(width=width, shuffle=2, encoder=encoder, middle=middle, decoder=decoder, attention=False)
        self.noise = nn.Parameter(torch.tensor(_NOISE).log())
        self.finish = Finish(width=finish_width, shuffle=2, encoder=(1, 1, 2), middle=2, decoder=(1, 1, 1), attention=False)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → ``restored`` of the same shape; photos that were not shaken come back as they are."""
        with torch.autocast(mixed.device.type, enabled=False):
            sharp, shaken = sharpened(mixed, self.noise.exp())
        return self.judge(mixed, sharp).map(lambda restored: followed(mixed, restored, shaken))

    def judge(self, mixed: Tensor, sharp: Tensor) -> Separation:
        """The networks alone: (B, 3, H, W) and what the deconvolutions made of it, (B, N, 3, H, W) → ``restored``."""
        guess = self.guess(mixed).restored
        candidates = torch.cat((mixed[:, None], guess[:, None], sharp), dim=1)  # (B, N, 3, H, W)
        answer = self.finish.answer(self.finish.features(candidates.flatten(1, 2)), mixed.dtype)
        belief, repair = answer[:, :-3], answer[:, -3:]
        return Separation({"restored": (belief.softmax(1)[:, :, None] * candidates).sum(1) + repair})


def followed(photo: Tensor, restored: Tensor, shaken: Tensor) -> Tensor:
    """What was restored as far as a photo was ``shaken`` (B,), 0…1, and the photo itself for the rest; (B, 3, H, W) each."""
    return torch.lerp(photo, restored, shaken.view(-1, 1, 1, 1))


ENTRY = ModelEntry(
    build=Deconvolution,
    source="limpid's own; search of Xu, Zheng & Jia, CVPR 2013; judged as in Schuler et al., CVPR 2013; NAFNet, ECCV 2022",
    licence="Apache-2.0",
    tasks=("deblur",),
    layers=("restored",),
    sizes={
        "base": {},
        "tiny": {"width": 4, "encoder": (1,), "middle": 1, "decoder": (1,), "finish_width": 4},
    },
)
