"""Means with their uncertainty and paired comparisons: pure functions of ``Results``.

Averages are named. *By image*: every image counts once, as "Average" in the papers' tables. *By set*: every set counts once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limpid.evaluation.results import INPUT, Condition, MetricInfo, Results, Score
from limpid.physics.seeds import generator

RESAMPLES = 2000
"""Bootstrap resamples behind an interval."""

_SEED = 95  # the same table every time
_BLOCK = 200  # resamples drawn at once, which bounds memory


@dataclass(frozen=True, kw_only=True)
class Mean:
    """``value`` over ``count`` images, NaN over none; ``low``…``high``: 95 % interval; ``without``: images that have no value."""

    value: float
    low: float
    high: float
    count: int
    without: int = 0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Images that belong in one mean: those of one set under the same conditions; ``scores``: model → item → score."""

    set: str
    conditions: Mapping[str, Condition]
    scores: Mapping[str, Mapping[str, Score]]

    @property
    def label(self) -> str:
        """The set and its conditions, e.g. ``kodak24 noise 25``."""
        return " ".join(
            [
                self.set,
                *(
                    f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                    for name, value in self.conditions.items()
                ),
            ]
        )

    @property
    def count(self) -> int:
        """How many images it has, failed ones included."""
        return len({item for scores in self.scores.values() for item in scores})

    def values(self, model: str, metric: str) -> dict[str, float]:
        """Item → value of one model, without images that failed or have no value."""
        scores = self.scores.get(model, {})
        found = {item: score.values.get(metric, math.nan) for item, score in scores.items()}
        return {item: value for item, value in found.items() if math.isfinite(value)}

    def mean(self, model: str, metric: str) -> Mean:
        """Mean of one model over the images of the group."""
        values = list(self.values(model, metric).values())
        return interval(values, without=self.count - len(values))

    def win_rate(self, model: str, metric: MetricInfo) -> float:
        """Share of images, 0…1, that the model made better than the input; a tie counts half. NaN without a common image."""
        return win_rate(self.values(model, metric.name), self.values(INPUT, metric.name), metric)


def groups(results: Results) -> list[Group]:
    """The groups of an evaluation in the order of its scores."""
    found: dict[tuple[object, ...], dict[str, dict[str, Score]]] = {}
    named: dict[tuple[object, ...], Score] = {}
    for score in results.scores:
        key = (score.set, *sorted(score.conditions.items()))
        named.setdefault(key, score)
        found.setdefault(key, {}).setdefault(score.model, {})[score.item] = score
    return [Group(set=named[key].set, conditions=named[key].conditions, scores=scores) for key, scores in found.items()]


def interval(values: Sequence[float], *, without: int = 0) -> Mean:
    """Mean and the percentile bootstrap's 95 % interval (Efron, 1979), seeded; equal ends for a single value."""
    if not values:
        return Mean(value=math.nan, low=math.nan, high=math.nan, count=0, without=without)
    sample = np.asarray(values, dtype=np.float64)
    draw = generator(_SEED, "bootstrap")
    means = [sample[draw.integers(len(sample), size=(_BLOCK, len(sample)))].mean(axis=1) for _ in range(RESAMPLES // _BLOCK)]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Mean(value=float(sample.mean()), low=float(low), high=float(high), count=len(sample), without=without)


def win_rate(mine: Mapping[str, float], theirs: Mapping[str, float], metric: MetricInfo) -> float:
    """Share of the common items, 0…1, on which ``mine`` is better than ``theirs``; a tie counts half. NaN without one."""
    common = mine.keys() & theirs.keys()
    sign = 1 if metric.direction == "higher" else -1
    wins = sum(0.5 + 0.5 * float(np.sign(sign * (mine[item] - theirs[item]))) for item in common)
    return wins / len(common) if common else math.nan


def by_image(parts: Iterable[Group], model: str, metric: str) -> Mean:
    """Mean over all images of several groups, every image counted once."""
    parts = list(parts)
    values = [value for part in parts for value in part.values(model, metric).values()]
    return interval(values, without=sum(part.count for part in parts) - len(values))


def by_set(parts: Iterable[Group], model: str, metric: str) -> float:
    """Mean of the groups' means, every group counted once; NaN when one of them has none."""
    means = [float(np.mean(list(part.values(model, metric).values()) or [math.nan])) for part in parts]
    return float(np.mean(means)) if means else math.nan
