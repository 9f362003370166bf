"""A sample of a layer, encoded and decoded as that layer, must come back as it was."""

from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.layers.unpaired import Compared, Translation
from limpid.losses._compared import required, summed
from limpid.losses._kinds import UnpairedLoss
from limpid.losses.ssim import ssim


def self_reconstruction(pairs: Compared, *, structure: float = 0.0) -> Tensor:
    """Σ over layers of mean|G(E(y)) − y| + ``structure`` · (1 − SSIM); (B, 3, H, W) each. Returns a scalar.

    Follows from the paper's first assumption; its exact place in the paper is unread. SSIM is an optional companion in the authors'
    code [C]. Raises ShapeError for images smaller than the window when ``structure`` is not 0.
    """
    value = summed(pairs)
    return value + structure * sum(ssim(estimate, target) for estimate, target in pairs) if structure else value


class SelfReconstruction(UnpairedLoss):
    """``self_reconstruction`` of the samples; ``structure``: weight of 1 − SSIM beside the L1. Raises SettingError."""

    def __init__(self, *, structure: float = 0.0) -> None:
        super().__init__()
        if structure < 0:
            raise SettingError(f"structure is a weight from 0 on; got {structure}")
        self.structure = structure

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of what became of the samples."""
        return self_reconstruction(required(translation, "self"), structure=self.structure)


ENTRY = LossEntry(build=SelfReconstruction, takes="unpaired", source="Liu & Lu, AAAI 2020, arXiv:1906.00734; USIS 53a91ca")
