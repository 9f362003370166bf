"""Samples of the layers, composed and separated again, must come back: the cycle that makes supervision of synthetic mixtures.

Where what samples compose looks like the photos, as toys and synthetic mixtures do, this is ordinary supervised training, and
nothing is learnt about what works without it. So it stands in no recipe by default, and every checkpoint says whether it was on.
"""

from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.unpaired import Compared, Translation
from limpid.losses._compared import required, summed
from limpid.losses._kinds import UnpairedLoss


def backward_cycle(pairs: Compared) -> Tensor:
    """Σ over layers of mean|G(E(y ⊕ z)) − y|; (B, 3, H, W) each. Returns a scalar."""
    return summed(pairs)


class BackwardCycle(UnpairedLoss):
    """``backward_cycle`` of the samples."""

    backward = True

    def __init__(self) -> None:
        super().__init__()

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of what became of composed samples."""
        return backward_cycle(required(translation, "backward"))


ENTRY = LossEntry(build=BackwardCycle, takes="unpaired", source="Zhu et al., ICCV 2017 (CycleGAN); not verified for SILS")
