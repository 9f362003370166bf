"""A layer that was separated must look to its encoder as the photo looked: what both share lies in one latent space."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.layers.unpaired import Translation
from limpid.losses._kinds import UnpairedLoss


def latent_consistency(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Mean over the maps of two pyramids of mean|f − g|; (B, C, H, W) each. Returns a scalar.

    L1 over a dictionary of features [C]; that it compares E(x) with E(ŷ) is inferred from the paper's first assumption.
    """
    return torch.stack([(f - g).abs().mean() for f, g in zip(one, other, strict=True)]).mean()


class LatentConsistency(UnpairedLoss):
    """``latent_consistency`` summed over layers. Raises SettingError for a network without pyramids.

    A weight of 0.5 is that of λ1 = λ2 in the best reading there is of the paper's self-supervised loss.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of the pyramids of photos and of their layers."""
        if not translation.again:
            raise SettingError("this network keeps no features of its layers; leave latent_consistency out")
        pairs = [(translation.features[name], again) for name, again in translation.again.items()]
        return torch.stack([latent_consistency(one, other) for one, other in pairs]).sum()


ENTRY = LossEntry(build=LatentConsistency, takes="unpaired", source="Liu & Lu, AAAI 2020, arXiv:1906.00734; USIS 53a91ca")
