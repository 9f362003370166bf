"""The turns of a cascade must add up to the photo in linear light."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation, steps_of
from limpid.losses._kinds import SceneLoss
from limpid.losses.mse import mse
from limpid.physics.formation import GAMMA


def ibcln_residual(
    photo: Tensor,
    transmissions: Sequence[Tensor],
    reflections: Sequence[Tensor],
    target: Tensor,
    gain: Tensor,
    *,
    mixture: float = 1.0,
    reflection: float = 1.0,
) -> Tensor:
    """Σ_t mixture·mean((I' − a·T_t' − R_t')²) + reflection·mean((I' − a·T' − R_t')²), x' = x^2.2 and T the true transmission.

    ``photo``, ``target`` and each turn t: (B, 3, H, W), encoded, values below 0 taken as 0; ``gain``: a, (B,), the factor on the
    transmission in the mixture. Returns a scalar. Raises ShapeError.
    Source: Li et al. (IBCLN), CVPR 2020, arXiv:1911.06634, eq. 5, and their code, where both terms weigh 10 (the paper says 2).
    """
    gain, mixed = gain.reshape(-1, 1, 1, 1).to(photo.dtype), _linear(photo)
    rest = gain * _linear(target)
    terms = []
    for seen, mirrored in zip(transmissions, reflections, strict=True):
        linear = _linear(mirrored)
        terms.append(mixture * mse(gain * _linear(seen) + linear, mixed) + reflection * mse(linear + rest, mixed))
    return torch.stack(terms).sum()


class IbclnResidual(SceneLoss):
    """``ibcln_residual`` over all turns of both layers, for mixtures made in linear light with a known gain.

    ``mixture``, ``reflection``: weights of its two terms; ``rounded``: round the gain to one decimal as the published code does.
    """

    needs: tuple[str, ...] = ("transmission",)

    def __init__(self, *, mixture: float = 1.0, reflection: float = 1.0, rounded: bool = True) -> None:
        super().__init__()
        self.mixture, self.reflection, self.rounded = mixture, reflection, rounded

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of the steps of a scene, the photo, its true transmission and its gain."""
        return ibcln_residual(
            batch.input,
            steps_of(layers, "transmission"),
            steps_of(layers, "reflection"),
            batch.truth["transmission"],
            batch.gain.round(decimals=1) if self.rounded else batch.gain,
            mixture=self.mixture,
            reflection=self.reflection,
        )


def _linear(image: Tensor) -> Tensor:
    return image.clamp(min=0) ** GAMMA


ENTRY = LossEntry(build=IbclnResidual, takes="scene", source="Li et al., CVPR 2020, arXiv:1911.06634")
