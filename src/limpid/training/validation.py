"""How good a network is on named sets while it learns: PSNR and SSIM of its first layer, beside those of the untouched input."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.data.stream import Source
from limpid.layers.pair import Pair
from limpid.metrics.psnr import psnr
from limpid.metrics.ssim import ssim
from limpid.physics.seeds import generator
from limpid.runtime.separator import Separator

Scores = Mapping[str, float]
"""``psnr``, ``ssim``, ``input_psnr``, ``input_ssim``: means over the items of a set."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Fixed items of a source: number i is always the same, whatever the run. ``count``: how many, None for all."""

    source: Source
    seed: int
    count: int | None = None

    def __len__(self) -> int:
        return min(len(self.source), self.count or len(self.source))

    def pairs(self) -> Iterator[Pair]:
        """All items in order."""
        for index in range(len(self)):
            yield self.source.pair(index, 0, generator(self.seed, "validate", index))


@dataclass(frozen=True, kw_only=True)
class ScoredSet:
    """What one row of scores is computed on: the items of all ``parts`` together."""

    label: str
    parts: Sequence[Part]

    def score(self, separator: Separator, going: Callable[[], bool] = lambda: True) -> Scores | None:
        """Mean scores of a network over all items, joint PSNR in dB and SSIM; estimates are clamped, not rounded.

        None when ``going``, asked before each item, says no.
        """
        found = []
        for pair in (pair for part in self.parts for pair in part.pairs()):
            if not going():
                return None
            estimate = separator.run(pair.input)[separator.entry.layers[0]].clamp(0, 1)
            found.append((*_pair(estimate, pair.transmission), *_pair(pair.input, pair.transmission)))
        names = ("psnr", "ssim", "input_psnr", "input_ssim")
        return dict(zip(names, map(float, np.mean(found, axis=0)), strict=True))


def _pair(estimate: Tensor, truth: Tensor) -> tuple[float, float]:
    return psnr(estimate, truth, joint=True), ssim(estimate, truth)
