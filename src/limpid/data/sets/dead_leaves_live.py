"""Dead-leaves charts made while testing: nothing to download, the same charts on every machine."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.catalogue import SetEntry
from limpid.data.concat import Listed
from limpid.data.single_thread import one_thread
from limpid.layers.pixels import quantise
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator


@dataclass(frozen=True, kw_only=True)
class LiveLeaves(Listed[np.ndarray]):
    """``charts`` charts of ``side``×``side`` pixels, (H, W, 3) uint8; chart ``i`` depends on ``settings`` and (seed, i) alone.

    ``photos``, (3, H, W), 0…1, lend natural colours.
    """

    settings: Chart = Chart()
    charts: int = 100
    side: int = 512
    seed: int = 42
    photos: Sequence[Tensor] = ()

    def __len__(self) -> int:
        return self.charts

    def _item(self, place: int) -> np.ndarray:
        with one_thread():
            drawn = chart(self.settings, (self.side, self.side), generator(self.seed, place, "chart"), photos=self.photos)
        return quantise(drawn, np.uint8)


ENTRY = SetEntry(
    build=LiveLeaves, tasks=("denoise", "deblur"), source="Lee, Mumford & Huang, IJCV 2001 (dead leaves)", synthetic=True
)
