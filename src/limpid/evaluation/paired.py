"""One model against another on the same images: the gain, its interval, and a paired test."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limpid.evaluation.results import MetricInfo, Results
from limpid.evaluation.summary import FEWEST, Group, Mean, by_scene, groups, interval, win_rate
from limpid.evaluation.table import Cell, Column, Row, Table
from limpid.physics.seeds import generator

FLIPS = 10000
"""Sign flips behind a p value."""

PAIRED = (
    f"mean gain with its 95 % interval, two-sided p of a sign-flip test ({FLIPS} flips; both over scenes where photos repeat them),"
    " and the share of images on which the first model is better; not corrected for the number of comparisons"
)
"""What the columns hold."""

_SEED = 96  # the same table every time
_BLOCK = 500  # flips drawn at once, which bounds memory


@dataclass(frozen=True, kw_only=True)
class Gain:
    """``model`` against ``against``: ``gain`` is positive where the model is better, whichever way the metric counts.

    ``p``: two-sided, NaN below ``FEWEST`` images or scenes. ``wins``: share of images, 0…1, a tie counting half.
    """

    group: str
    model: str
    against: str
    metric: str
    gain: Mean
    p: float
    wins: float


def gains(results: Results, metrics: Sequence[MetricInfo]) -> list[Gain]:
    """Every model against every one before it, the input among them, in every group."""
    labels = [info.label for info in results.models]
    pairs = [(model, against) for against, model in itertools.combinations(labels, 2)]
    return [_gain(part, *pair, metric) for part in groups(results) for metric in metrics for pair in pairs]


def _gain(part: Group, model: str, against: str, metric: MetricInfo) -> Gain:
    mine, theirs = part.shared(model, metric.name), part.shared(against, metric.name)
    sign = 1 if metric.direction == "higher" else -1
    differences = {item: sign * (mine[item] - theirs[item]) for item in mine if item in theirs}
    values, scenes = list(differences.values()), [part.scene(item) for item in differences]
    return Gain(
        group=part.label,
        model=model,
        against=against,
        metric=metric.name,
        gain=interval(values, scenes),
        p=sign_flip(values, scenes),
        wins=win_rate(mine, theirs, metric),
    )


def sign_flip(differences: Sequence[float], scenes: Sequence[str] = ()) -> float:
    """Two-sided p of a mean difference of 0: how often random signs of the scenes' sums reach it (Fisher, 1935), seeded.

    The observed signs count as one draw, so p is never 0. NaN below ``FEWEST`` images or scenes.
    """
    sums, _ = by_scene(np.asarray(differences, dtype=np.float64), scenes)
    if len(sums) < FEWEST:
        return math.nan
    draw = generator(_SEED, "sign flips")
    seen = abs(sums.sum()) * (1 - 1e-12)
    reached = 0
    for _ in range(FLIPS // _BLOCK):
        signs = draw.integers(0, 2, size=(_BLOCK, len(sums))) * 2 - 1
        reached += int((np.abs(signs @ sums) >= seen).sum())
    return (1 + reached) / (1 + FLIPS)


def paired_table(results: Results) -> Table | None:
    """Gains in the headline; None without a model beside the input."""
    headline = results.metrics[0]
    found = gains(results, [headline])
    if not found:
        return None
    lines, last = [], ""
    for one in found:
        first = one.group != last
        reach = (
            f"[{one.gain.low:+.{headline.digits}f}, {one.gain.high:+.{headline.digits}f}]" if math.isfinite(one.gain.low) else ""
        )
        cells = (
            Cell(text=one.group if first else ""),
            Cell(text=one.model),
            Cell(text=one.against),
            Cell(text=f"{one.gain.value:+.{headline.digits}f}" if one.gain.count else "–", aside=reach, sort=one.gain.value),
            Cell(text=f"{one.p:.4f}" if math.isfinite(one.p) else "–"),
            Cell(text=f"{one.wins:.0%}" if math.isfinite(one.wins) else "–"),
            Cell(text=str(one.gain.count)),
        )
        lines.append(Row(cells=cells, rule=first))
        last = one.group
    named = [Column(title=title, numeric=False) for title in ("set", "model", "against")]
    numbers = [Column(title=f"gain in {headline.title}", aside=headline.unit)]
    numbers += [Column(title=title) for title in ("p", "wins", "images")]
    return Table(caption=f"Paired comparisons: {PAIRED}", columns=(*named, *numbers), rows=tuple(lines))
