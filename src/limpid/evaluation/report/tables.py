"""The tables of results: one for each set under each condition, and the named averages over several."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from limpid.evaluation.report.marks import Mark
from limpid.evaluation.report.parts import Cell, Column, Row, Table
from limpid.evaluation.results import INPUT, MetricInfo, PublishedRow, Results
from limpid.evaluation.summary import Group, Mean, by_image, by_set, win_rate

ARROWS = {"higher": "↑", "lower": "↓"}

WINS = (
    "Small below each mean: its 95 % interval (bootstrap over images). Wins: share of the images that a model made better than the"
    " untouched input, a tie counting half. (20 of 21): that many images have a value. A click on a heading sorts."
)
"""How to read the tables."""


def heading(metric: MetricInfo) -> str:
    """Title of a metric with its unit, e.g. ``PSNR, dB``."""
    return f"{metric.title}, {metric.unit}" if metric.unit else metric.title


def number(value: float, digits: int, *, signed: bool = False) -> str:
    """``value`` with ``digits`` decimals and a true minus sign, or a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def amount(count: int, thing: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def group_table(results: Results, group: Group, marks: dict[str, Mark]) -> Table:
    """Means of every model over one group, with published figures below where the set is whole and undegraded."""
    rows = [
        _row(
            results,
            model.label,
            marks[model.label],
            [(group.mean(model.label, it.name), group.win_rate(model.label, it)) for it in results.metrics],
        )
        for model in results.models
        if model.label in group.scores
    ]
    printed = [] if group.conditions else [row for row in results.published if row.set == group.set]
    return Table(
        caption=f"{group.label}, {amount(group.count, 'image')}",
        columns=_columns(results.metrics),
        rows=(*_starred(rows, results.metrics), *_published(results.metrics, printed)),
        note="Rows in italics are published figures." if printed else "",
        folded=bool(group.conditions),
    )


def condition_tables(results: Results, parts: Sequence[Group], marks: dict[str, Mark]) -> list[Table]:
    """A table for each metric over ``parts``, the groups of one set: a row for every model, a column for every condition."""
    return [_condition_table(results, parts, metric, marks) for metric in results.metrics]


def _condition_table(results: Results, parts: Sequence[Group], metric: MetricInfo, marks: dict[str, Mark]) -> Table:
    rows = [
        Row(
            cells=(Cell(text=it.label), *(_mean(part.mean(it.label, metric.name), metric) for part in parts)),
            kind=_kind(it.label),
            mark=marks[it.label],
        )
        for it in results.models
    ]
    titles = [part.label.removeprefix(part.set).strip() or "untouched" for part in parts]
    return Table(
        caption=f"{parts[0].set}, {heading(metric)} {ARROWS[metric.direction]}",
        columns=(Column(title="model", numeric=False), *(Column(title=title) for title in titles)),
        rows=_starred(rows, [metric] * len(parts), step=1),
    )


def average_tables(results: Results, groups: Sequence[Group], marks: dict[str, Mark]) -> tuple[Table, Table]:
    """Means over ``groups``, sets under the same conditions: every image counted once, and every set counted once."""
    over = ", ".join(group.label for group in groups)
    count = sum(group.count for group in groups)
    condition = groups[0].label.removeprefix(groups[0].set)
    images, sets = [], []
    for model in results.models:
        label, mark = model.label, marks[model.label]
        pairs = [(by_image(groups, label, it.name), _wins(groups, label, it)) for it in results.metrics]
        images.append(_row(results, label, mark, pairs))
        means = [by_set(groups, label, it.name) for it in results.metrics]
        cells = [_value(mean, it) for mean, it in zip(means, results.metrics, strict=True)]
        sets.append(Row(cells=(Cell(text=label), *cells), kind=_kind(label), mark=mark))
    return (
        Table(
            caption=f"Average by image{condition}, {amount(count, 'image')}",
            columns=_columns(results.metrics),
            rows=_starred(images, results.metrics),
            note=f"Every image counts once, over {over}.",
        ),
        Table(
            caption=f"Average by set{condition}, {len(groups)} sets",
            columns=(Column(title="model", numeric=False), *(_column(it) for it in results.metrics)),
            rows=_starred(sets, results.metrics, step=1),
            note=f"Every set counts once, whatever its size, over {over}.",
        ),
    )


def _columns(metrics: Iterable[MetricInfo]) -> tuple[Column, ...]:
    columns = [Column(title="model", numeric=False)]
    for metric in metrics:
        spoken = f"{metric.title}: share of images better than the input"
        columns += [_column(metric), Column(title="wins", spoken=spoken)]
    return tuple(columns)


def _column(metric: MetricInfo) -> Column:
    return Column(
        title=f"{metric.title} {ARROWS[metric.direction]}",
        aside=metric.unit,
        spoken=f"{heading(metric)}, {metric.direction} is better",
    )


def _row(results: Results, label: str, mark: Mark, pairs: Sequence[tuple[Mean, float]]) -> Row:
    cells = [Cell(text=label)]
    for (mean, wins), metric in zip(pairs, results.metrics, strict=True):
        shown = label != INPUT and math.isfinite(wins)
        cells += [_mean(mean, metric), Cell(text=f"{wins:.0%}".replace("%", " %"), sort=wins) if shown else Cell(text="")]
    return Row(cells=tuple(cells), kind=_kind(label), mark=mark)


def _mean(mean: Mean, metric: MetricInfo) -> Cell:
    if not mean.count:
        return Cell(text="–")
    reach = f"{number(mean.low, metric.digits)} … {number(mean.high, metric.digits)}"
    missing = f" ({mean.count} of {mean.count + mean.without})" if mean.without else ""
    return Cell(text=number(mean.value, metric.digits), aside=reach + missing, sort=mean.value)


def _value(value: float, metric: MetricInfo) -> Cell:
    return Cell(text=number(value, metric.digits), sort=value if math.isfinite(value) else None)


def _kind(label: str) -> str:
    return "input" if label == INPUT else ""


def _wins(groups: Sequence[Group], model: str, metric: MetricInfo) -> float:
    def pooled(label: str) -> dict[str, float]:
        return {
            f"{place}/{item}": value
            for place, group in enumerate(groups)
            for item, value in group.values(label, metric.name).items()
        }

    return win_rate(pooled(model), pooled(INPUT), metric)


def _starred(rows: Sequence[Row], metrics: Sequence[MetricInfo], *, step: int = 2) -> tuple[Row, ...]:
    """The rows with the best value of every metric marked; the metrics stand in every ``step``-th column."""
    best: dict[int, float] = {}
    for place, metric in enumerate(metrics):
        column = 1 + place * step
        values = [value for row in rows if (value := row.cells[column].sort) is not None]
        if len(values) > 1:
            best[column] = max(values) if metric.direction == "higher" else min(values)

    def starred(row: Row) -> Row:
        cells = (replace(cell, best=place in best and cell.sort == best[place]) for place, cell in enumerate(row.cells))
        return replace(row, cells=tuple(cells))

    return tuple(map(starred, rows))


def _published(metrics: Sequence[MetricInfo], printed: Iterable[PublishedRow]) -> list[Row]:
    """A row for every model and source that printed a number of ``metrics``."""
    names = {metric.name for metric in metrics}
    wanted = sorted((row for row in printed if row.metric in names), key=_origin)
    rows = []
    for (model, source), figures in groupby(wanted, key=_origin):
        values = {row.metric: row.value for row in figures}
        cells = [Cell(text=model, aside=source)]
        for metric in metrics:
            cells += [_value(values.get(metric.name, math.nan), metric), Cell(text="")]
        rows.append(Row(cells=tuple(cells), kind="published"))
    return rows


def _origin(row: PublishedRow) -> tuple[str, str]:
    return row.model, row.source
