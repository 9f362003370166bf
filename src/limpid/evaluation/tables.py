"""Results as tables: for the console, Markdown, CSV and LaTeX."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table as RichTable

from limpid.evaluation.published import averaged
from limpid.evaluation.results import INPUT, MetricInfo, Results
from limpid.evaluation.summary import Group, Mean, by_image, by_set, groups

_NAMED = 8
"""More sets than this are counted, not named, in the label of a mean."""

_FIELD = 2
"""Measures in a cell of the field's table, which prints PSNR / SSIM."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model on one group of images or on all: ``means``: metric → mean; ``win_rate`` against the input in the headline."""

    group: str
    images: int
    model: str
    means: Mapping[str, Mean]
    win_rate: float
    seconds: float
    peak_bytes: int


@dataclass(frozen=True, kw_only=True)
class Table:
    """Texts by row, the heading first; ``rules``: rows above which a line is drawn; ``left``: columns of words."""

    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    rules: frozenset[int] = frozenset()
    left: int = 2


def rows(results: Results) -> list[Row]:
    """A row per group and model, the input first, then the averages by image and by set, over several sets."""
    parts = groups(results)
    labels = [info.label for info in results.models]
    found = [_row(results, part, model) for part in parts for model in labels if model in part.scores]
    for conditions in dict.fromkeys(tuple(part.conditions.items()) for part in parts):
        alike = [part for part in parts if tuple(part.conditions.items()) == conditions]
        found += _averages(results, alike) if len(alike) > 1 else []
    return found


def _row(results: Results, part: Group, model: str) -> Row:
    done = [score for score in part.scores[model].values() if not score.error]
    return Row(
        group=part.label,
        images=part.count,
        model=model,
        means={metric.name: part.mean(model, metric.name) for metric in results.metrics},
        win_rate=math.nan if model == INPUT else part.win_rate(model, results.metrics[0]),
        seconds=sum(score.seconds for score in done) / len(done) if done else 0.0,
        peak_bytes=max((score.peak_bytes for score in done), default=0),
    )


def _averages(results: Results, parts: Sequence[Group]) -> list[Row]:
    """The two named means over groups of equal conditions, for every model."""
    count = sum(part.count for part in parts)
    labels = [part.label for part in parts]
    over = ", ".join(labels) if len(labels) <= _NAMED else f"{len(labels)} sets"
    found = []
    for model in (info.label for info in results.models):
        images = {metric.name: by_image(parts, model, metric.name) for metric in results.metrics}
        found.append(_average(f"mean by image over {over}", count, model, images))
    for model in (info.label for info in results.models):
        values = {metric.name: by_set(parts, model, metric.name) for metric in results.metrics}
        sets = {name: Mean(value=value, low=math.nan, high=math.nan, count=len(parts)) for name, value in values.items()}
        found.append(_average(f"mean by set over {over}", count, model, sets))
    return found


def _average(group: str, images: int, model: str, means: Mapping[str, Mean]) -> Row:
    return Row(group=group, images=images, model=model, means=means, win_rate=math.nan, seconds=0.0, peak_bytes=0)


def main_table(results: Results) -> Table:
    """Means with half the width of their 95 % interval, wins against the input, seconds and memory per image."""
    headline = results.metrics[0].title
    heading = ["set (images)", "model", *map(_title, results.metrics), f"wins ({headline})", "s/image", "MB"]
    texts, rules, last = [], set(), ""
    for place, row in enumerate(rows(results)):
        rules |= {place} if row.group != last else set()
        texts.append(
            [
                f"{row.group} ({row.images})" if row.group != last else "",
                row.model,
                *(_mean(row.means[metric.name], metric, row.images) for metric in results.metrics),
                f"{row.win_rate:.0%}" if math.isfinite(row.win_rate) else "",
                f"{row.seconds:.2f}" if row.seconds else "",
                f"{row.peak_bytes / 1e6:.0f}" if row.peak_bytes else "",
            ]
        )
        last = row.group
    return Table(title=results.protocol, heading=heading, rows=texts, rules=frozenset(rules))


def field_table(results: Results) -> Table | None:
    """Models by sets, ours above what was published for the same sets and measures; None where nothing was."""
    if not results.published:
        return None
    metrics = [metric for metric in results.metrics if any(row.metric == metric.name for row in results.published)][:_FIELD]
    parts = {part.label: [part] for part in groups(results)}
    for name, members in averaged(results.sets).items():
        parts[name] = [parts[member][0] for member in members]
    texts = []
    for info in results.models:
        ours = {label: {m.name: by_image(some, info.label, m.name).value for m in metrics} for label, some in parts.items()}
        texts.append([info.label, *(_cell(ours[label], metrics) for label in parts), "computed here"])
    for (model, source), cells in _printed(results).items():
        texts.append([model, *(_cell(cells.get(label, {}), metrics) for label in parts), source])
    heading = ["model", *(f"{label} ({sum(part.count for part in some)})" for label, some in parts.items()), "source"]
    title = f"{' / '.join(metric.title for metric in metrics)}, ours beside published figures"
    return Table(title=title, heading=heading, rows=texts, rules=frozenset({0, len(results.models)}), left=1)


def _printed(results: Results) -> dict[tuple[str, str], dict[str, dict[str, float]]]:
    found: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for row in results.published:
        found.setdefault((row.model, row.source), {}).setdefault(row.set, {})[row.metric] = row.value
    return found


def markdown(table: Table) -> str:
    """The table in GitHub's Markdown."""
    marks = [":--" if place < table.left else "--:" for place in range(len(table.heading))]
    lines = [[_piped(text) for text in row] for row in (table.heading, *table.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (lines[0], marks, *lines[1:])) + "\n"


def latex(table: Table) -> str:
    """The table for the package booktabs."""
    columns = "l" * table.left + "r" * (len(table.heading) - table.left)
    lines = ["\\begin{tabular}{" + columns + "}", "\\toprule", _latex_row(table.heading)]
    for place, row in enumerate(table.rows):
        lines += ["\\midrule"] if place in table.rules else []
        lines.append(_latex_row(row))
    return "\n".join([f"% {table.title}", *lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def console(table: Table) -> RichTable:
    """The table for rich's console."""
    shown = RichTable(title=table.title, title_justify="left")
    for place, heading in enumerate(table.heading):
        shown.add_column(heading, justify="left" if place < table.left else "right", overflow="fold")
    for place, row in enumerate(table.rows):
        if place in table.rules and place:
            shown.add_section()
        shown.add_row(*row)
    return shown


def summary_csv(results: Results) -> str:
    """Every mean with its interval, one line per group and model, full precision."""
    ends = ("", "_low", "_high", "_images")
    heading = ["group", "images", "model", *(f"{m.name}{end}" for m in results.metrics for end in ends)]
    lines = [[*heading, "win_rate", "seconds", "peak_bytes"]]
    for row in rows(results):
        cells = [(mean.value, mean.low, mean.high, mean.count) for mean in (row.means[m.name] for m in results.metrics)]
        numbers = [_number(value) for cell in cells for value in cell]
        lines.append([row.group, str(row.images), row.model, *numbers, *map(_number, (row.win_rate, row.seconds, row.peak_bytes))])
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


def _title(metric: MetricInfo) -> str:
    arrow = "↑" if metric.direction == "higher" else "↓"
    return f"{metric.title} {arrow}{f' [{metric.unit}]' if metric.unit else ''}"


def _mean(mean: Mean, metric: MetricInfo, images: int) -> str:
    """``14.92 ±0.95``, with the number of images where some have no value."""
    if not math.isfinite(mean.value):
        return "–"
    half = (mean.high - mean.low) / 2
    spread = f" ±{half:.{metric.digits}f}" if math.isfinite(half) else ""
    return f"{mean.value:.{metric.digits}f}{spread}{f' (n={mean.count})' if mean.without else ''}"


def _cell(values: Mapping[str, float], metrics: Sequence[MetricInfo]) -> str:
    texts = [f"{values[m.name]:.{m.digits}f}" if math.isfinite(values.get(m.name, math.nan)) else "–" for m in metrics]
    return "" if set(texts) == {"–"} else " / ".join(texts)


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""


def _piped(text: str) -> str:
    return text.replace("|", "\\|")


def _latex_row(texts: Sequence[str]) -> str:
    return " & ".join(_escaped(text) for text in texts) + r" \\"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "–": "--",
    "σ": r"$\sigma$",
    "×": r"$\times$",
}


def _csv(lines: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
