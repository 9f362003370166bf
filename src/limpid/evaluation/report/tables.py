"""The tables of results: one for each set under each condition, and the named averages over several."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from limpid.evaluation.results import INPUT, MetricInfo, PublishedRow, Results
from limpid.evaluation.summary import FEWEST, Group, Mean, by_image, by_set, win_rate
from limpid.evaluation.table import Cell, Column, Mark, Row, Table

Marks = Mapping[str, Mark]

ARROWS = {"higher": "↑", "lower": "↓"}

WINS = (
    "Small below each mean: its 95 % interval (percentile bootstrap over images, or over scenes where photos repeat them; none"
    f" below {FEWEST}). Wins: share of the images that a model made better than the untouched input, a tie counting half. Means are"
    " over the images for which all models have a value; (20 of 21): over that many. A click on a heading sorts."
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


def image_table(results: Results, groups: Sequence[Group], marks: Marks, *, name: str, note: str = "", printed: str = "") -> Table:
    """Means over the images of ``groups``, every image counted once, with the figures published for ``printed`` below.

    Folded away for degraded images, whose means stand in the tables by condition.
    """
    rows = [
        _row(
            results,
            model.label,
            marks[model.label],
            [(by_image(groups, model.label, it.name), _wins(groups, model.label, it)) for it in results.metrics],
            sum(group.failed(model.label) for group in groups),
        )
        for model in results.models
        if any(model.label in group.scores for group in groups)
    ]
    published = _published(results.metrics, [row for row in results.published if row.set == printed])
    remarks = [note, "Rows in italics are published figures." if published else ""]
    return Table(
        caption=f"{name}, {amount(sum(group.count for group in groups), 'image')}",
        columns=_columns(results.metrics),
        rows=(*_starred(rows, results.metrics), *published),
        note=" ".join(filter(None, remarks)),
        folded=len(groups) == 1 and bool(groups[0].conditions),
    )


def set_table(results: Results, groups: Sequence[Group], marks: Marks, *, name: str) -> Table:
    """Means over the means of ``groups``, every set counted once."""
    rows = [
        Row(
            cells=(Cell(text=model.label), *(_value(by_set(groups, model.label, it.name), it) for it in results.metrics)),
            kind=_kind(model.label),
            mark=marks[model.label],
        )
        for model in results.models
    ]
    return Table(
        caption=f"{name}, {len(groups)} sets",
        columns=(Column(title="model", numeric=False), *(_column(it) for it in results.metrics)),
        rows=_starred(rows, results.metrics, step=1),
        note=f"Every set counts once, whatever its size, over {listed(groups)}.",
    )


def listed(groups: Iterable[Group]) -> str:
    """Their labels."""
    return ", ".join(group.label for group in groups)


def condition_tables(results: Results, parts: Sequence[Group], marks: Marks) -> list[Table]:
    """A table for each metric over ``parts``, the groups of one set: a row for every model, a column for every condition."""
    return [_condition_table(results, parts, metric, marks) for metric in results.metrics]


def _condition_table(results: Results, parts: Sequence[Group], metric: MetricInfo, marks: Marks) -> Table:
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


def _row(results: Results, label: str, mark: Mark, pairs: Sequence[tuple[Mean, float]], failed: int) -> Row:
    cells = [Cell(text=label, aside=f"{amount(failed, 'image')} failed" if failed else "")]
    for (mean, wins), metric in zip(pairs, results.metrics, strict=True):
        shown = label != INPUT and math.isfinite(wins)
        cells += [_mean(mean, metric), Cell(text=f"{wins:.0%}".replace("%", " %"), sort=wins) if shown else Cell(text="")]
    return Row(cells=tuple(cells), kind=_kind(label), mark=mark)


def _mean(mean: Mean, metric: MetricInfo) -> Cell:
    if not mean.count:
        return Cell(text="–")
    reach = f"{number(mean.low, metric.digits)} … {number(mean.high, metric.digits)}" if math.isfinite(mean.low) else ""
    missing = f" ({mean.count} of {mean.count + mean.without})" if mean.without else ""
    return Cell(text=number(mean.value, metric.digits), aside=f"{reach}{missing}".strip(), sort=mean.value)


def _value(value: float, metric: MetricInfo) -> Cell:
    return Cell(text=number(value, metric.digits), sort=value if math.isfinite(value) else None)


def _kind(label: str) -> str:
    return "input" if label == INPUT else ""


def _wins(groups: Sequence[Group], model: str, metric: MetricInfo) -> float:
    def pooled(label: str) -> dict[str, float]:
        return {
            f"{place}/{item}": value
            for place, group in enumerate(groups)
            for item, value in group.shared(label, metric.name).items()
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
