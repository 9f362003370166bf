"""Where the reflection hides the photo, what the photo's encoder saw must not be trusted; where there is none, all of it may be."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation, steps_of
from limpid.losses._check import check_pair
from limpid.losses._kinds import SceneLoss

_GREY = (0.299, 0.587, 0.114)


def ragnet_masks(masks: Sequence[Tensor], reflection: Tensor, *, dark: float = 0.01, bright: float = 0.3) -> Tensor:
    """Σ_l mean(D_l·|M_l − 1|) + mean(B_l·|E_l|), plain means over all elements of the masks M_l and of their first halves E_l.

    D and B are 1 where the grey of ``reflection``, (B, 3, H, W), 0…1, encoded, is below ``dark`` or above ``bright``, 0 elsewhere.
    ``masks``: (B, 2F_l, H / 2^l, W / 2^l), l = 0, 1, …, sides rounded down; D and B are brought to their size by maxima of 2×2: one
    dark pixel makes a place dark, one bright pixel makes it bright, and it may be both. Returns a scalar. Raises ShapeError when
    sizes do not agree. Source: Li et al. (RAGNet), arXiv:2012.00945, as in their code.
    """
    weights = reflection.new_tensor(_GREY)[:, None, None]
    grey = (reflection * weights).sum(1, keepdim=True)
    places, total = torch.cat((grey < dark, grey > bright), dim=1).to(reflection.dtype), reflection.new_zeros(())
    for level, mask in enumerate(masks):
        places = F.max_pool2d(places, 2) if level else places
        check_pair(mask[:, :1], places[:, :1])
        clear, hidden = places.split(1, dim=1)
        encoder = mask[:, : mask.shape[1] // 2]
        total = total + (clear * (mask - 1)).abs().mean() + (hidden * encoder).abs().mean()
    return total


class RagnetMasks(SceneLoss):
    """``ragnet_masks`` of the steps ``mask_1``, ``mask_2``, … and the true reflection.

    Raises UnknownNameError for a network without these steps.
    """

    needs = ("reflection",)

    def __init__(self, *, dark: float = 0.01, bright: float = 0.3) -> None:
        super().__init__()
        self.dark, self.bright = dark, bright

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of the masks of a scene and the truth."""
        return ragnet_masks(steps_of(layers, "mask"), batch.truth["reflection"], dark=self.dark, bright=self.bright)


ENTRY = LossEntry(build=RagnetMasks, takes="scene", source="Li et al. (RAGNet), arXiv:2012.00945")
