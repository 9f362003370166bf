"""A training source without end: dead leaves charts drawn while the network learns, spoilt, with their sharp versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from limpid.data.pair import Pair
from limpid.data.several import paths_of
from limpid.physics.degradation import Degradation, degrade
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart


@dataclass(frozen=True, kw_only=True)
class LeafPairs:
    """A ``Source`` for ``data.stream.Stream``: no chart comes twice, and each depends on the generator of its item alone.

    ``size``: (height, width) in pixels; ``photos``, (3, H, W), 0…1, lend natural colours. ``degradations`` are applied in their
    order; one that crops makes items smaller (``MotionBlur`` with a ``rim`` by the same amount each). ``length``: what counts
    as an epoch.
    """

    settings: Chart
    size: tuple[int, int]
    degradations: Sequence[Degradation]
    photos: Sequence[Tensor] = ()
    length: int = 1000

    def __len__(self) -> int:
        return self.length

    def files(self) -> list[Path]:
        """The photos that lend colours, where they lie on disk."""
        return paths_of(self.photos)

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """A new chart: spoilt as the input, sharp as the transmission; neither place nor epoch plays a part."""
        sharp = chart(self.settings, self.size, draw, photos=self.photos)
        degraded = degrade(sharp, [(degradation, degradation.draw(draw, self.size)) for degradation in self.degradations])
        return Pair(input=degraded.image, transmission=degraded.target, reflection=None, name="leaves", kind="synthetic")
