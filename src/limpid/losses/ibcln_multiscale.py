"""Perceptual difference of the last turn of a cascade at the full size, a half and a quarter."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.losses._check import check_pair
from limpid.losses._kinds import SceneLoss
from limpid.losses.perceptual import PRESETS, Perceptual

SCALES: Mapping[str, int] = {"transmission": 1, "transmission_half": 2, "transmission_quarter": 4}
"""Layer or step → by what its target is made smaller."""


class IbclnMultiscale(SceneLoss):
    """Σ_s w_s · P(T_s, T/s) for s = 1, 2, 4; P = ``perceptual``, T/s the true transmission in means of s×s pixels.

    The network gives ``transmission``, ``transmission_half`` and ``transmission_quarter`` (in training mode), (B, 3, H/s, W/s),
    sides multiples of 4. ``weights``: of the scales; ``layers``, ``backbone``, ``normalised``: as in ``Perceptual`` (IBCLN's VGG-19
    sees the photo as it is). Raises UnknownNameError when a scale is missing, ShapeError. The published code asks for
    256×256 pixels, and targets of 128 and 64; here any size will do.
    Source: Li et al. (IBCLN), CVPR 2020, arXiv:1911.06634, eq. 7, with the weights and taps of their code.
    """

    needs: tuple[str, ...] = ("transmission",)

    def __init__(
        self,
        *,
        weights: tuple[float, float, float] = (1.0, 0.8, 0.6),
        backbone: str = "vgg19",
        layers: Mapping[str, float] = PRESETS["ibcln"]["vgg19"],
        normalised: bool | None = False,
    ) -> None:
        super().__init__()
        self.weights = weights
        self.perceptual = Perceptual(backbone=backbone, layers=layers, normalised=normalised)

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of the last turn of a scene and the true transmission."""
        target, terms = batch.truth["transmission"], []
        for weight, (name, factor) in zip(self.weights, SCALES.items(), strict=True):
            estimate, small = layers.layer(name), F.avg_pool2d(target, factor)
            check_pair(estimate, small)
            terms.append(weight * self.perceptual(estimate, small))
        return torch.stack(terms).sum()


ENTRY = LossEntry(build=IbclnMultiscale, takes="scene", source="Li et al., CVPR 2020, arXiv:1911.06634")
