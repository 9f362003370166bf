"""The layers must add up to the photo."""

from collections.abc import Mapping

from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.layers.task import Task
from limpid.losses._kinds import SceneLoss
from limpid.losses.l1 import l1


def reconstruction(photo: Tensor, layers: Mapping[str, Tensor], task: Task) -> Tensor:
    """Mean of |what the layers compose − I|, by the law of the task and in encoded values; (B, 3, H, W) each. Returns a scalar.

    For reflections |T + R + residual − I|, the residual 0 when there is none. Raises ShapeError, SettingError for a task without a
    law, and UnknownNameError for a missing layer. Source: Hu & Guo (DSRNet), ICCV 2023, arXiv:2308.10027.
    """
    return l1(task.compose(layers), photo)


class Reconstruction(SceneLoss):
    """``reconstruction`` of the photo from all layers of the task that the network gives; needs no truth."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of the layers of a scene and the photo."""
        return reconstruction(batch.input, layers, batch.task)


ENTRY = LossEntry(build=Reconstruction, takes="scene", source="Hu & Guo, ICCV 2023, arXiv:2308.10027")
