"""The plots of a report: image by image for each set, and means under every degradation."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from limpid.evaluation.report.elements import Block, Chart, Charts, Heading, Legend
from limpid.evaluation.report.plots import MOST_DOTS, Line, Values, bars, boxes, cloud, curves
from limpid.evaluation.report.svg import svg
from limpid.evaluation.report.tables import ARROWS, heading
from limpid.evaluation.results import INPUT, MetricInfo, Results
from limpid.evaluation.summary import Group, by_image
from limpid.evaluation.table import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Marks = dict[str, Mark]

_AXES = {"noise": "noise σ, of 255", "size": "side, pixels"}


def image_charts(results: Results, groups: Sequence[Group], marks: Marks) -> tuple[Block, ...]:
    """For each set: the headline of input against output, a dot per image, and the distribution of every metric."""
    blocks: list[Block] = [Legend(marks=marks)]
    for place, (label, found) in enumerate(sets_of(groups).items()):
        charts = [_cloud(f"cloud{place}", found, results.metrics[0], marks)]
        charts += [_boxes(f"box{place}x{order}", found, metric, marks) for order, metric in enumerate(results.metrics)]
        drawn = tuple(chart for chart in charts if chart)
        if drawn:
            blocks += [Heading(text=label), Charts(charts=drawn)]
    return tuple(blocks)


def degradation_charts(results: Results, groups: Sequence[Group], marks: Marks) -> tuple[Block, ...]:
    """For each set: every metric against each condition that has two steps or more, all other conditions held."""
    blocks: list[Block] = []
    for label, found in sets_of(groups).items():
        for name in {name: None for group in found for name in group.conditions}:
            for held, family in _families(found, name).items():
                if len(family) < 2:
                    continue
                key = f"curve{len(blocks)}"
                charts = tuple(_degradation(f"{key}x{order}", family, name, it, marks) for order, it in enumerate(results.metrics))
                blocks += [Heading(text=" · ".join([label, name, *([held] if held else [])])), Charts(charts=charts)]
    return (Legend(marks=marks), *blocks) if blocks else ()


def sets_of(groups: Iterable[Group]) -> dict[str, list[Group]]:
    """The groups of every set, by its label."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(group.set, []).append(group)
    return found


def _families(groups: Iterable[Group], name: str) -> dict[str, list[Group]]:
    """Groups that differ in the condition ``name`` only, by what they share."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        if name in group.conditions:
            held = " ".join(f"{key} {value}" for key, value in sorted(group.conditions.items()) if key != name)
            found.setdefault(held, []).append(group)
    return found


def _pairs(groups: Iterable[Group], model: str, metric: str) -> tuple[Values, Values]:
    """Values of the input and of a model on their common images."""
    pairs = []
    for group in groups:
        before, after = group.values(INPUT, metric), group.values(model, metric)
        pairs += [(before[item], value) for item, value in after.items() if item in before]
    columns = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def _cloud(key: str, groups: Sequence[Group], metric: MetricInfo, marks: Marks) -> Chart | None:
    pairs = {model: _pairs(groups, model, metric.name) for model in marks if model != INPUT}
    pairs = {model: pair for model, pair in pairs.items() if len(pair[0])}
    if not pairs:
        return None
    caption = f"{metric.title} of each image before and after; on the dashed line nothing changed"
    if any(len(pair[0]) > MOST_DOTS for pair in pairs.values()):
        caption += f" ({MOST_DOTS} dots per model, evenly picked)"
    unit = f", {metric.unit}" if metric.unit else ""
    titles = (f"{metric.title} of the input{unit}", f"{metric.title} of the output{unit}")
    return _chart(key, f"{caption}.", lambda axes: cloud(axes, pairs, marks, titles))


def _boxes(key: str, groups: Sequence[Group], metric: MetricInfo, marks: Marks) -> Chart | None:
    values = {
        model: np.asarray([value for group in groups for value in group.shared(model, metric.name).values()]) for model in marks
    }
    values = {model: row for model, row in values.items() if len(row)}
    if not values:
        return None
    caption = f"Distribution of {metric.title} {ARROWS[metric.direction]}: quartiles, whiskers from 5 to 95 %, diamond at the mean."
    return _chart(key, caption, lambda axes: boxes(axes, values, marks, heading(metric)))


def _degradation(key: str, family: Sequence[Group], name: str, metric: MetricInfo, marks: Marks) -> Chart:
    levels = {step: [group] for group in family if isinstance(step := group.conditions[name], int | float)}
    titles = (_AXES.get(name, name), f"{heading(metric)} {ARROWS[metric.direction]}")
    if len(levels) == len(family):
        steps = sorted(levels)
        lines = _lines([levels[step] for step in steps], metric, marks)
        caption = f"{metric.title} against {name}, mean and 95 % interval."
        return _chart(key, caption, lambda axes: curves(axes, steps, lines, marks, titles))
    classes: dict[str, list[Group]] = {}
    for group in family:
        mark = str(group.conditions[name])
        classes.setdefault(mark.partition(".")[0] if name == "blur" else mark, []).append(group)  # big.0 and big.1 are both big
    lines = _lines(list(classes.values()), metric, marks)
    caption = f"{metric.title} by class of {name}, mean and 95 % interval."
    return _chart(key, caption, lambda axes: bars(axes, list(classes), lines, marks, titles))


def _lines(steps: Sequence[Sequence[Group]], metric: MetricInfo, marks: Marks) -> dict[str, Line]:
    lines = {}
    for model in marks:
        means = [by_image(step, model, metric.name) for step in steps]
        if any(mean.count for mean in means):
            lines[model] = Line([it.value for it in means], [it.low for it in means], [it.high for it in means])
    return lines


def _chart(key: str, caption: str, paint: Callable[["Axes"], None]) -> Chart:
    return Chart(svg=svg(key, caption, paint), caption=caption)
