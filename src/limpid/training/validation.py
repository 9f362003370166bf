"""How good a network is on named sets while it learns, beside the trivial answer: the input itself and what the law leaves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.data.stream import Source
from limpid.layers.pair import Pair
from limpid.layers.task import Task
from limpid.metrics.lmse import lmse
from limpid.metrics.psnr_joint import psnr_joint
from limpid.metrics.si_mse import si_mse
from limpid.metrics.ssim import ssim
from limpid.physics.seeds import generator
from limpid.runtime.separator import Separator

Scores = Mapping[str, float]
"""Measure, and ``input_`` before it for the trivial answer → mean over the items of a set, e.g. ``psnr`` and ``input_psnr``."""

Measure = Callable[[Tensor, Tensor], float]

_MEASURES: Mapping[str, Mapping[str, Measure]] = {"intrinsic": {"si_mse": si_mse, "lmse": lmse}}
_USUAL: Mapping[str, Measure] = {"psnr": psnr_joint, "ssim": ssim}


def measures_of(task: Task) -> Mapping[str, Measure]:
    """What a task is scored by, the measure that chooses the best epoch first: joint PSNR in dB, or errors free of scale."""
    return _MEASURES.get(task.name, _USUAL)


def merit(task: Task, scores: Scores) -> float | None:
    """How good scores are, higher is better; None when the first measure is not among them."""
    headline = next(iter(measures_of(task)))
    return None if headline not in scores else -scores[headline] if task.name in _MEASURES else scores[headline]


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
    """What one row of scores is computed on: the items of all ``parts`` together, which hold layers of ``task``."""

    label: str
    task: Task
    parts: Sequence[Part]

    def score(self, separator: Separator, going: Callable[[], bool] = lambda: True) -> Scores | None:
        """Mean scores of a network over all items, each the mean over its compared layers; estimates are clamped, not rounded.

        Compared is the first layer, and all that are known where the measures are free of scale or the layers of one
        rank. None when ``going``, asked before each item, says no.
        """
        found = []
        for pair in (pair for part in self.parts for pair in part.pairs()):
            if not going():
                return None
            found.append(
                {**self._scores(separator.run(pair.input), pair), **self._scores(self.task.trivial(pair.input), pair, "input_")}
            )
        return {name: float(np.mean([scores[name] for scores in found])) for name in found[0]}

    def _scores(self, layers: Mapping[str, Tensor], pair: Pair, prefix: str = "") -> dict[str, float]:
        names = self.task.layers if self.task.symmetric or self.task.name in _MEASURES else self.task.layers[:1]
        compared = [(layers[name].clamp(0, 1), pair.layers[name]) for name in names if name in pair.layers]
        measures = measures_of(self.task)
        return {prefix + key: float(np.mean([measure(*both) for both in compared])) for key, measure in measures.items()}
