"""Photos of a folder, degraded while the network learns: natural ones, or charts that were saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from limpid.catalogue import Nested, SourceEntry
from limpid.data.augment import Augment, as_tensor
from limpid.data.concat import paths_of
from limpid.data.photo_folders import Roots, photos_of
from limpid.data.sizes import Sizes, sizes_of
from limpid.layers.pair import Pair
from limpid.physics.degradation import Degradation, degrade


@dataclass(frozen=True, kw_only=True)
class DegradedPhotos:
    """A ``Source`` of ``photos``, (H, W, 3) uint8: augmented (None: as they are), then degraded in the given order.

    A degradation that crops makes items smaller (``MotionBlur`` with a ``rim`` by the same amount each).
    """

    photos: Sequence[np.ndarray]
    degradations: Sequence[Degradation]
    augment: Augment | None = None

    def __len__(self) -> int:
        return len(self.photos)

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Photo number ``place``: degraded as the input, before that as ``restored``; the epoch decides its crop alone."""
        photo = self.photos[place]
        if self.augment is None:
            sharp = as_tensor(photo)
        else:
            augment = self.augment.at(epoch)
            sharp = augment.apply(photo, augment.draw(draw, (photo.shape[0], photo.shape[1])))
        size = (sharp.shape[1], sharp.shape[2])
        degraded = degrade(sharp, [(degradation, degradation.draw(draw, size)) for degradation in self.degradations])
        return Pair(input=degraded.image, layers={"restored": degraded.target}, name=str(place), kind="synthetic")

    def files(self) -> list[Path]:
        """The photos, where they lie on disk."""
        return paths_of(self.photos)

    def sizes(self) -> Sizes:
        """Sizes of the photos before they are degraded."""
        return sizes_of(self.augment, paths_of(self.photos))


def degraded(
    *,
    root: Roots,
    degradations: Annotated[Sequence[Degradation], Nested(kind="degradations")],
    augment: Augment | None = None,
    keep: bool = False,
) -> DegradedPhotos:
    """Photos of one or several folders (also DIV2K as packed, ``DIV2K_train_HR/DIV2K_train_HR/``), augmented, then degraded.

    Without ``augment`` whole; ``keep`` holds what was decoded in memory, once per worker. Raises DataError.
    """
    return DegradedPhotos(photos=photos_of(root, keep=keep), degradations=degradations, augment=augment)


ENTRY = SourceEntry(build=degraded, tasks=("denoise", "deblur"), source="Zhang et al., TIP 2017, arXiv:1608.03981 (DnCNN)")
