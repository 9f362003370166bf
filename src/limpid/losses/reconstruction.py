"""The layers must add up to the photo."""

from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.losses.l1 import l1


def reconstruction(photo: Tensor, transmission: Tensor, reflection: Tensor, residual: Tensor | None = None) -> Tensor:
    """Mean of |T + R + residual − I|, in encoded values; (B, 3, H, W) each, the residual 0 when there is none. Returns a scalar.

    Raises ShapeError. Source: Hu & Guo (DSRNet), ICCV 2023, arXiv:2308.10027.
    """
    total = transmission + reflection
    return l1(total if residual is None else total + residual, photo)


class Reconstruction(nn.Module):
    """``reconstruction`` from ``transmission``, ``reflection`` and, from a network that gives one, ``residual``; needs no truth."""

    needs: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of the layers of a scene and the photo."""
        return reconstruction(batch.input, layers.layer("transmission"), layers.layer("reflection"), layers.get("residual"))


ENTRY = LossEntry(build=Reconstruction, takes="scene", source="Hu & Guo, ICCV 2023, arXiv:2308.10027")
