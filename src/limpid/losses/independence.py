"""Latent codes of two layers must not share information: they are pushed apart up to about one unit, then left alone."""

from collections.abc import Sequence
from itertools import combinations
from math import exp

import torch
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.layers.unpaired import Translation
from limpid.losses._kinds import UnpairedLoss

SCALE, ALPHA = 10.0, 1.4
"""What a mean absolute difference is multiplied by, and the constant of the bounded repulsion [C]."""


def repulsion(difference: Tensor, *, scale: float = SCALE, alpha: float = ALPHA) -> Tensor:
    """1 − ψ(d), d = ``scale`` · difference, ψ(d) = 1 / (1 + exp(g)), g(d) = −(d − α·e^α) / α²; any shape, from 0 on.

    0.948 at a difference of 0, 0.5 at 0.568, 0.0085 at 1.5. Source: the authors' code, cited as the paper's equation 6 [C].
    """
    return torch.sigmoid(-(scale * difference - alpha * exp(alpha)) / alpha**2)


def independence(one: Sequence[Tensor], other: Sequence[Tensor], *, scale: float = SCALE, alpha: float = ALPHA) -> Tensor:
    """Mean over the maps of two pyramids of ``repulsion`` at their mean absolute difference; (B, C, H, W) each: a scalar."""
    each = [repulsion((f - g).abs().mean((1, 2, 3)), scale=scale, alpha=alpha).mean() for f, g in zip(one, other, strict=True)]
    return torch.stack(each).mean()


class Independence(UnpairedLoss):
    """``independence`` averaged over all pairs of layers [X]; 0 where they share an encoder, whose codes cannot differ.

    ``scale``, ``alpha``: see ``repulsion``; another implementation of the paper leaves the factor 10 away [R]. Raises SettingError.
    """

    def __init__(self, *, scale: float = SCALE, alpha: float = ALPHA) -> None:
        super().__init__()
        if min(scale, alpha) <= 0:
            raise SettingError(f"scale and alpha of independence lie above 0; got {scale} and {alpha}")
        self.scale, self.alpha = scale, alpha

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of the pyramids of the photos."""
        pyramids = list(translation.features.values())
        if len(pyramids) < 2:
            raise SettingError("this network keeps no features of its layers; leave independence out")
        if pyramids[0][0] is pyramids[1][0]:
            return batch.input.new_zeros(())
        pairs = [independence(one, other, scale=self.scale, alpha=self.alpha) for one, other in combinations(pyramids, 2)]
        return torch.stack(pairs).mean()


ENTRY = LossEntry(build=Independence, takes="unpaired", source="Liu & Lu, AAAI 2020, arXiv:1906.00734, eq. 6; USIS 53a91ca")
