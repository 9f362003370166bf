"""Dead-leaves charts made while testing: nothing to download, the same charts on every machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from limpid.catalogue import Entry
from limpid.physics.seeds import generator

Chart = Callable[[tuple[int, int], np.random.Generator], np.ndarray]
"""Height and width, generator → (H, W, 3) uint8 chart; bind the settings of ``physics.leaves`` to make one."""


@dataclass(frozen=True, kw_only=True)
class LiveLeaves(Sequence[np.ndarray]):
    """``charts`` charts of ``side``×``side`` pixels, (H, W, 3) uint8; chart ``i`` depends on (seed, i) alone."""

    chart: Chart
    charts: int = 100
    side: int = 512
    seed: int = 42

    def __len__(self) -> int:
        return self.charts

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self.charts))]
        if not 0 <= index < self.charts:
            raise IndexError(index)
        return self.chart((self.side, self.side), generator(self.seed, index, "chart"))


ENTRY = Entry(build=LiveLeaves, tasks=("denoise", "deblur"), source="Lee, Mumford & Huang, IJCV 2001 (dead leaves)")
