"""What a translated image is encoded to must be the content and the style that it was made of; its way back the image itself."""

from typing import Literal

from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.unpaired import Compared, Translation
from limpid.losses._compared import required, summed
from limpid.losses._kinds import UnpairedLoss


def code_reconstruction(pairs: Compared) -> Tensor:
    """Σ of mean|code − code it was made of|, any shapes. Returns a scalar."""
    return summed(pairs)


class CodeReconstruction(UnpairedLoss):
    """``of``: ``style`` (7 terms in USI3D), ``content`` (6), or ``cycle``, whole images that went there and back (6)."""

    def __init__(self, *, of: Literal["style", "content", "cycle"]) -> None:
        super().__init__()
        self.of = of

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of a translation's codes."""
        return code_reconstruction(required(translation, self.of))


ENTRY = LossEntry(build=CodeReconstruction, takes="unpaired", source="Liu et al., CVPR 2020; Huang et al., ECCV 2018")
