"""A training source for restoration: photos spoilt while the network learns, with what they were before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limpid.data.augment import Augment, as_tensor
from limpid.data.pair import Pair
from limpid.data.several import paths_of
from limpid.physics.degradation import Degradation, degrade


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """A ``Source`` of ``photos``, (H, W, 3) uint8: augmented (None: as they are), then degraded in the given order.

    A degradation that crops makes items smaller (``MotionBlur`` with a ``rim`` by the same amount each).
    """

    photos: Sequence[np.ndarray]
    degradations: Sequence[Degradation]
    augment: Augment | None = None

    def __len__(self) -> int:
        return len(self.photos)

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Photo number ``place``: spoilt as the input, before that as the transmission; the epoch plays no part."""
        photo = self.photos[place]
        if self.augment is None:
            sharp = as_tensor(photo)
        else:
            sharp = self.augment.apply(photo, self.augment.draw(draw, (photo.shape[0], photo.shape[1])))
        size = (sharp.shape[1], sharp.shape[2])
        degraded = degrade(sharp, [(degradation, degradation.draw(draw, size)) for degradation in self.degradations])
        return Pair(input=degraded.image, transmission=degraded.target, reflection=None, name=str(place), kind="synthetic")

    def files(self) -> list[Path]:
        """The photos, where they lie on disk."""
        return paths_of(self.photos)
