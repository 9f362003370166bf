"""Results as tables: every mean of every model, ours beside published figures, and the same as CSV."""

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from limpid.evaluation.paired import gains
from limpid.evaluation.published import averaged
from limpid.evaluation.results import INPUT, MetricInfo, Results
from limpid.evaluation.summary import INTERVALS, Group, Mean, by_image, by_set, groups, of_a_kind
from limpid.evaluation.table import Cell, Column, Row, Table

_NAMED = 8
"""More sets than this are counted, not named, in the label of a mean."""

_FIELD = 2
"""Measures in a cell of the field's table, which prints PSNR / SSIM."""


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One model on one group of images or on all: ``means``: metric → mean; ``win_rate`` against the input in the headline.

    ``failed``: images that it failed on.
    """

    group: str
    images: int
    model: str
    means: Mapping[str, Mean]
    win_rate: float
    seconds: float
    peak_bytes: int
    failed: int = 0


def rows(results: Results) -> list[SummaryRow]:
    """A row per group and model, the input first, then the averages by image and by set, over several sets."""
    parts = groups(results)
    labels = [info.label for info in results.models]
    found = [_row(results, part, model) for part in parts for model in labels if model in part.scores]
    for alike in of_a_kind(results, parts):
        found += _averages(results, alike)
    return found


def _row(results: Results, part: Group, model: str) -> SummaryRow:
    done = [score for score in part.scores[model].values() if not score.error]
    return SummaryRow(
        group=part.label,
        images=part.count,
        model=model,
        means={metric.name: part.mean(model, metric.name) for metric in results.metrics},
        win_rate=math.nan if model == INPUT else part.win_rate(model, results.metrics[0]),
        seconds=sum(score.seconds for score in done) / len(done) if done else 0.0,
        peak_bytes=max((score.peak_bytes for score in done), default=0),
        failed=part.failed(model),
    )


def _averages(results: Results, parts: Sequence[Group]) -> list[SummaryRow]:
    """The two named means over groups of equal conditions, for every model."""
    count = sum(part.count for part in parts)
    labels = [part.label for part in parts]
    over = ", ".join(labels) if len(labels) <= _NAMED else f"{len(labels)} sets"
    found = []
    for model in (info.label for info in results.models):
        images = {metric.name: by_image(parts, model, metric.name) for metric in results.metrics}
        found.append(_average(f"mean by image over {over}", count, model, images, sum(part.failed(model) for part in parts)))
    for model in (info.label for info in results.models):
        values = {metric.name: by_set(parts, model, metric.name) for metric in results.metrics}
        sets = {name: Mean(value=value, low=math.nan, high=math.nan, count=len(parts)) for name, value in values.items()}
        found.append(_average(f"mean by set over {over}", count, model, sets, sum(part.failed(model) for part in parts)))
    return found


def _average(group: str, images: int, model: str, means: Mapping[str, Mean], failed: int) -> SummaryRow:
    return SummaryRow(
        group=group, images=images, model=model, means=means, win_rate=math.nan, seconds=0.0, peak_bytes=0, failed=failed
    )


def main_table(results: Results) -> Table:
    """Means with their 95 % interval, failures, wins against the input, seconds and peak memory with weights per image."""
    columns = [
        Column(title="set (images)", numeric=False),
        Column(title="model", numeric=False),
        *map(_column, results.metrics),
        *(Column(title=title) for title in ("failed", f"wins ({results.metrics[0].title})", "s/image", "peak MB")),
    ]
    lines, last = [], ""
    for row in rows(results):
        first = row.group != last
        cells = (
            Cell(text=f"{row.group} ({row.images})" if first else ""),
            Cell(text=row.model),
            *(_mean(row.means[metric.name], metric) for metric in results.metrics),
            Cell(text=str(row.failed) if row.failed else ""),
            Cell(text=f"{row.win_rate:.0%}" if math.isfinite(row.win_rate) else ""),
            Cell(text=f"{row.seconds:.2f}" if row.seconds else ""),
            Cell(text=f"{row.peak_bytes / 1e6:.0f}" if row.peak_bytes else ""),
        )
        lines.append(Row(cells=cells, rule=first))
        last = row.group
    return Table(caption=f"{results.protocol}. {INTERVALS}", columns=tuple(columns), rows=tuple(lines))


def field_table(results: Results) -> Table | None:
    """Models by sets, ours above what was published for the same sets and measures; None where nothing was."""
    if not results.published:
        return None
    parts = {part.label: [part] for part in groups(results)}
    for name, members in averaged(results.sets).items():
        if parts.keys() >= {*members}:  # degraded photos stand under labels of their own
            parts[name] = [parts[member][0] for member in members]
    usual = _measured(results, parts)
    shown = {label: _shown(usual, _measured(results, [label])) for label in parts}
    lines = []
    for place, info in enumerate(results.models):
        ours = {label: {m.name: by_image(parts[label], info.label, m.name).value for m in found} for label, found in shown.items()}
        cells = [_cell(ours[label], found) for label, found in shown.items()]
        lines.append(_field_row(info.label, cells, "computed here", rule=not place))
    for place, ((model, source), printed) in enumerate(_printed(results).items()):
        cells = [_cell(printed.get(label, {}), found) for label, found in shown.items()]
        lines.append(_field_row(model, cells, source, rule=not place))
    counted = (
        f"{label} ({sum(part.count for part in parts[label])})" + (f", {_titles(found)}" if found != usual else "")
        for label, found in shown.items()
    )
    columns = [Column(title="model", numeric=False), *map(_titled, counted), Column(title="source")]
    return Table(caption=f"{_titles(usual)}, ours beside published figures", columns=tuple(columns), rows=tuple(lines))


def _measured(results: Results, labels: Collection[str]) -> list[MetricInfo]:
    """The first measures that something was printed in for these sets."""
    printed = {row.metric for row in results.published if row.set in labels}
    return [metric for metric in results.metrics if metric.name in printed][:_FIELD]


def _shown(usual: list[MetricInfo], own: list[MetricInfo]) -> list[MetricInfo]:
    """What a set is shown in: the measures of all, or its own where nothing was printed in those."""
    return usual if not own or any(metric in usual for metric in own) else own


def _titles(metrics: Sequence[MetricInfo]) -> str:
    return " / ".join(metric.title for metric in metrics)


def _titled(title: str) -> Column:
    return Column(title=title)


def _field_row(model: str, cells: Sequence[str], source: str, *, rule: bool) -> Row:
    return Row(cells=tuple(Cell(text=text) for text in (model, *cells, source)), rule=rule)


def _printed(results: Results) -> dict[tuple[str, str], dict[str, dict[str, float]]]:
    found: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for row in results.published:
        found.setdefault((row.model, row.source), {}).setdefault(row.set, {})[row.metric] = row.value
    return found


def summary_csv(results: Results) -> str:
    """Every mean with its interval, one line per group and model, full precision."""
    ends = ("", "_low", "_high", "_images")
    heading = ["group", "images", "model", *(f"{m.name}{end}" for m in results.metrics for end in ends)]
    lines = [[*heading, "failed", "win_rate", "seconds", "peak_bytes"]]
    for row in rows(results):
        cells = [(mean.value, mean.low, mean.high, mean.count) for mean in (row.means[m.name] for m in results.metrics)]
        numbers = [_number(value) for cell in cells for value in cell]
        tail = [str(row.failed), *map(_number, (row.win_rate, row.seconds, row.peak_bytes))]
        lines.append([row.group, str(row.images), row.model, *numbers, *tail])
    return _csv(lines)


def paired_csv(results: Results) -> str:
    """Every paired comparison in every metric, full precision."""
    lines = [["group", "metric", "model", "against", "images", "gain", "low", "high", "p", "wins"]]
    for one in gains(results, results.metrics):
        numbers = map(_number, (one.gain.value, one.gain.low, one.gain.high, one.p, one.wins))
        lines.append([one.group, one.metric, one.model, one.against, str(one.gain.count), *numbers])
    return _csv(lines)


def per_image_csv(results: Results) -> str:
    """One line per image and model with flat columns."""
    conditions = list(dict.fromkeys(name for score in results.scores for name in score.conditions))
    names = [metric.name for metric in results.metrics]
    heading = ["set", "item", *conditions, "model", "height", "width", *names, "capped_bands", "seconds", "peak_bytes", "error"]
    lines = [heading]
    for score in results.scores:
        values = [_number(score.values.get(name, math.nan)) for name in names]
        kept = [str(score.conditions.get(name, "")) for name in conditions]
        tail = [sum(score.capped.values()), score.seconds, score.peak_bytes, score.error]
        lines.append([score.set, score.item, *kept, score.model, *map(str, score.size), *values, *map(str, tail)])
    return _csv(lines)


def _column(metric: MetricInfo) -> Column:
    return Column(title=f"{metric.title} {'↑' if metric.direction == 'higher' else '↓'}", aside=metric.unit)


def _mean(mean: Mean, metric: MetricInfo) -> Cell:
    """``14.92`` and ``[13.90, 15.81]``, with the number of images where some are left out."""
    if not math.isfinite(mean.value):
        return Cell(text="–")
    spread = f"[{mean.low:.{metric.digits}f}, {mean.high:.{metric.digits}f}]" if math.isfinite(mean.low) else ""
    counted = f"(n={mean.count})" if mean.without else ""
    return Cell(text=f"{mean.value:.{metric.digits}f}", aside=" ".join(filter(None, (spread, counted))))


def _cell(values: Mapping[str, float], metrics: Sequence[MetricInfo]) -> str:
    texts = [f"{values[m.name]:.{m.digits}f}" if math.isfinite(values.get(m.name, math.nan)) else "–" for m in metrics]
    return "" if set(texts) == {"–"} else " / ".join(texts)


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""


def _csv(lines: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
