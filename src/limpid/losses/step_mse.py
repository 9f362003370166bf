"""Every turn of a cascade must come close to the layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation, steps_of
from limpid.losses._kinds import SceneLoss
from limpid.losses.mse import mse


def step_mse(steps: Sequence[Tensor], target: Tensor) -> Tensor:
    """Σ_t mean((x_t − y)²) over the turns x_t of a cascade; (B, 3, H, W) each. Returns a scalar.

    Raises ShapeError. Source: Li et al. (IBCLN), CVPR 2020, arXiv:1911.06634, eq. 6; all turns weigh the same, as in their code.
    """
    return torch.stack([mse(step, target) for step in steps]).sum()


class StepMse(SceneLoss):
    """``step_mse`` over ``LAYER_1``, ``LAYER_2``, …, or the layer alone when the network makes it in one go."""

    def __init__(self, *, layer: str = "transmission") -> None:
        super().__init__()
        self.layer = layer
        self.needs: tuple[str, ...] = (layer,)

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of the steps of a scene and the truth."""
        return step_mse(steps_of(layers, self.layer), batch.truth[self.layer])


ENTRY = LossEntry(build=StepMse, takes="scene", source="Li et al., CVPR 2020, arXiv:1911.06634")
