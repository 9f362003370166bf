"""Means with their uncertainty: pure functions of ``Results``.

Models are compared on the images that all of them have, so that none gains by failing on hard ones. Averages are named. *By image*:
every image counts once, as "Average" in the papers' tables. *By set*: every set counts once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limpid.evaluation.results import INPUT, Condition, MetricInfo, Results, Score
from limpid.physics.seeds import generator

RESAMPLES = 2000
"""Bootstrap resamples behind an interval."""

FEWEST = 5
"""Images, or scenes, below which an interval says nothing and is left out."""

INTERVALS = (
    "In brackets: 95 % interval of the mean (percentile bootstrap over images, or over scenes where photos repeat them;"
    f" none below {FEWEST}). Means are over the images for which all models have a value."
)
"""What stands beside a mean, for captions."""

_SEED = 95  # the same table every time
_BLOCK = 200  # resamples drawn at once, which bounds memory


@dataclass(frozen=True, kw_only=True)
class Mean:
    """``value`` over ``count`` images, NaN over none; ``low``…``high``: 95 % interval, NaN for few; ``without``: left out."""

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

    def shared(self, model: str, metric: str) -> dict[str, float]:
        """Item → value of one model on the images for which every model has one; a model without any value is no hindrance."""
        found = [set(self.values(name, metric)) for name in self.scores]
        common = set.intersection(*filter(None, found)) if any(found) else set()
        return {item: value for item, value in self.values(model, metric).items() if item in common}

    def failed(self, model: str) -> int:
        """How many images a model failed on."""
        return sum(bool(score.error) for score in self.scores.get(model, {}).values())

    def scene(self, item: str) -> str:
        """What an image shows: one scene of a set that repeats them, or the image alone."""
        named = next((score.scene for scores in self.scores.values() if (score := scores.get(item)) and score.scene), "")
        return f"{self.set}/{named or f'={item}'}"

    def mean(self, model: str, metric: str) -> Mean:
        """Mean of one model over the images of the group that all models have."""
        return by_image([self], model, metric)

    def win_rate(self, model: str, metric: MetricInfo) -> float:
        """Share of images, 0…1, that the model made better than the input; a tie counts half. NaN without a common image."""
        return win_rate(self.shared(model, metric.name), self.shared(INPUT, metric.name), metric)


def groups(results: Results) -> list[Group]:
    """The groups of an evaluation in the order of its scores."""
    found: dict[tuple[object, ...], dict[str, dict[str, Score]]] = {}
    named: dict[tuple[object, ...], Score] = {}
    for score in results.scores:
        key = (score.set, *sorted(score.conditions.items()))
        named.setdefault(key, score)
        found.setdefault(key, {}).setdefault(score.model, {})[score.item] = score
    return [Group(set=named[key].set, conditions=named[key].conditions, scores=scores) for key, scores in found.items()]


def of_a_kind(results: Results, parts: Iterable[Group]) -> list[list[Group]]:
    """Groups that may be averaged, where there are several: equal conditions, and all photographed or all computed."""
    synthetic = {info.label: info.synthetic for info in results.sets}
    found: dict[tuple[object, ...], list[Group]] = {}
    for part in parts:
        found.setdefault((synthetic.get(part.set, False), *part.conditions.items()), []).append(part)
    return [alike for alike in found.values() if len(alike) > 1]


def interval(values: Sequence[float], scenes: Sequence[str] = (), *, without: int = 0) -> Mean:
    """Mean and the percentile bootstrap's 95 % interval (Efron, 1979), seeded; NaN as ends below ``FEWEST``.

    ``scenes``: of each value, drawn whole where photos repeat them (a cluster bootstrap: Field & Welsh, 2007); empty: all differ.
    """
    if not values:
        return Mean(value=math.nan, low=math.nan, high=math.nan, count=0, without=without)
    sample = np.asarray(values, dtype=np.float64)
    sums, sizes = by_scene(sample, scenes)
    low = high = math.nan
    if len(sums) >= FEWEST:
        draw = generator(_SEED, "bootstrap")
        means = []
        for _ in range(RESAMPLES // _BLOCK):
            drawn = draw.integers(len(sums), size=(_BLOCK, len(sums)))
            means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
        low, high = map(float, np.percentile(np.concatenate(means), [2.5, 97.5]))
    return Mean(value=float(sample.mean()), low=low, high=high, count=len(sample), without=without)


def by_scene(sample: np.ndarray, scenes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the values of each scene; of each value where there are no ``scenes``."""
    if not scenes:
        return sample, np.ones(len(sample))
    _, places = np.unique(np.asarray(scenes), return_inverse=True)
    return np.bincount(places, weights=sample), np.bincount(places).astype(np.float64)


def win_rate(mine: Mapping[str, float], theirs: Mapping[str, float], metric: MetricInfo) -> float:
    """Share of the common items, 0…1, on which ``mine`` is better than ``theirs``; a tie counts half. NaN without one."""
    common = mine.keys() & theirs.keys()
    sign = 1 if metric.direction == "higher" else -1
    wins = sum(0.5 + 0.5 * float(np.sign(sign * (mine[item] - theirs[item]))) for item in common)
    return wins / len(common) if common else math.nan


def by_image(parts: Iterable[Group], model: str, metric: str) -> Mean:
    """Mean over all images of several groups that all models have, every image counted once.

    Groups where nobody has a value are left out; NaN for a model that has none where others have one.
    """
    parts = list(parts)
    count = sum(part.count for part in parts)
    measured = [part for part in parts if any(part.values(name, metric) for name in part.scores)]
    found = [(part, part.shared(model, metric)) for part in measured]
    if not all(values for _, values in found):
        return interval([], without=count)
    scenes = [part.scene(item) for part, values in found for item in values]
    values = [value for _, shared in found for value in shared.values()]
    return interval(values, scenes, without=count - len(values))


def by_set(parts: Iterable[Group], model: str, metric: str) -> float:
    """Mean of the groups' means, every group counted once; NaN when one of them has none."""
    means = [float(np.mean(list(part.shared(model, metric).values()) or [math.nan])) for part in parts]
    return float(np.mean(means)) if means else math.nan
