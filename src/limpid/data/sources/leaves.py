"""Dead leaves charts without end, drawn and degraded while the network learns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from torch import Tensor

from limpid.catalogue import Nested, SourceEntry
from limpid.data.concat import Tensors, paths_of
from limpid.data.photo_folders import Roots, photos_of
from limpid.layers.pair import Pair
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
        """A new chart: degraded as the input, sharp as ``restored``; neither place nor epoch plays a part."""
        sharp = chart(self.settings, self.size, draw, photos=self.photos)
        degraded = degrade(sharp, [(degradation, degradation.draw(draw, self.size)) for degradation in self.degradations])
        return Pair(input=degraded.image, layers={"restored": degraded.target}, name="leaves", kind="synthetic")


def leaves(
    *,
    degradations: Annotated[Sequence[Degradation], Nested(kind="degradations")],
    size: tuple[int, int] = (128, 128),
    chart: Chart | None = None,
    photos: Roots | None = None,
    length: int = 1000,
    keep: bool = False,
) -> LeafPairs:
    """Charts of ``size`` (height, width), in pixels, by the settings ``chart``, and their degraded versions.

    ``photos``: folder of photos that lend ``chart.colours: natural``; ``keep`` holds them in memory. ``length``: charts that
    count as an epoch. Raises DataError.
    """
    colours = () if photos is None else Tensors(photos_of(photos, keep=keep))
    return LeafPairs(settings=chart or Chart(), size=size, degradations=degradations, photos=colours, length=length)


ENTRY = SourceEntry(build=leaves, tasks=("denoise", "deblur"), source="Achddou et al., SSVM 2021 (training on dead leaves)")
