"""What a reader must know to trust the numbers: faults, caps, cost, data, networks, machine."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from limpid.evaluation.report.elements import Block, Lines
from limpid.evaluation.report.tables import amount, number
from limpid.evaluation.results import INPUT, MetricInfo, ModelInfo, Results, Score
from limpid.evaluation.summary import Group
from limpid.evaluation.table import Cell, Column, Mark, Row, Table

MOST_LINES = 200
"""Remarks and errors that the page lists; ``per_image.csv`` has them all."""

_DIGEST = 16  # characters of a SHA-256 that a table shows


def faults(results: Results) -> tuple[Block, ...]:
    """The notes of the evaluation (caps and missing values among them) and every error, a line each; nothing without any."""
    lines = [*results.notes, *(f"{_where(score)}, {score.model}: {score.error}" for score in results.scores if score.error)]
    rest = len(lines) - MOST_LINES
    if rest > 0:
        lines[MOST_LINES:] = [f"And {rest} more, in per_image.csv."]
    return (Lines(lines=tuple(lines)),) if lines else ()


def cost(results: Results, marks: Mapping[str, Mark]) -> Table:
    """Networks with their weights, and what they took per image: seconds and peak memory."""
    columns = ("model", "parameters", "time", "longest", "peak memory", "device", "weights", "description")
    asides = {"parameters": "million", "time": "s per image", "longest": "s", "peak memory": "MB", "weights": "SHA-256"}
    return Table(
        caption="Models and their cost",
        columns=tuple(Column(title=it, aside=asides.get(it, ""), numeric=2 <= place + 1 <= 5) for place, it in enumerate(columns)),
        rows=tuple(_cost_row(model, marks[model.label], _done(results, model.label)) for model in results.models),
    )


def _cost_row(model: ModelInfo, mark: Mark, scores: Sequence[Score]) -> Row:
    seconds = [score.seconds for score in scores] if model.label != INPUT else []
    peak = max((score.peak_bytes for score in scores), default=0)
    return Row(
        cells=(
            Cell(text=model.label),
            _figure(None if model.parameters is None else model.parameters / 1e6, 2),
            _figure(sum(seconds) / len(seconds) if seconds else None, 3),
            _figure(max(seconds, default=None), 3),
            _figure(peak / 1e6 if peak else None, 0),
            Cell(text=" ".join(filter(None, (model.device, model.precision)))),
            Cell(text=model.weights[:_DIGEST]),
            Cell(text=model.description),
        ),
        kind="input" if model.label == INPUT else "",
        mark=mark,
    )


def data(results: Results) -> Table:
    """Sets with counts and fingerprints."""
    columns = ("set", "images", "published with", "fingerprint", "note")
    return Table(
        caption="Sets",
        columns=tuple(Column(title=title, numeric=title == "images") for title in columns),
        rows=tuple(
            Row(
                cells=(
                    Cell(text=it.label, aside=it.name if it.name != it.label else ""),
                    Cell(text=str(it.count), sort=it.count),
                    Cell(text=it.expected),
                    Cell(text=it.fingerprint[:_DIGEST]),
                    Cell(text=it.note),
                )
            )
            for it in results.sets
        ),
        note="Fingerprint: SHA-256 over the names and hashes of the files, its first 16 digits.",
    )


def pairs(caption: str, values: Mapping[str, str]) -> Table:
    """A table of names and values."""
    rows = tuple(Row(cells=(Cell(text=name), Cell(text=value))) for name, value in values.items())
    return Table(caption=caption, columns=(Column(title="what", numeric=False), Column(title="value", numeric=False)), rows=rows)


def images(results: Results, groups: Sequence[Group], marks: Mapping[str, Mark]) -> tuple[Block, ...]:
    """A folded table for each group with every image and model."""
    return tuple(_images(results, group, marks) for group in groups)


def _images(results: Results, group: Group, marks: Mapping[str, Mark]) -> Table:
    rows = [
        Row(cells=_image_cells(score, results), kind="input" if model.label == INPUT else "", mark=marks[model.label])
        for model in results.models
        for score in group.scores.get(model.label, {}).values()
    ]
    names = ("image", "model", "size", *(it.title for it in results.metrics), "seconds")
    return Table(
        caption=f"{group.label}, every image",
        columns=tuple(Column(title=name, numeric=place > 1) for place, name in enumerate(names)),
        rows=tuple(sorted(rows, key=lambda row: row.cells[0].text)),
        folded=True,
    )


def _image_cells(score: Score, results: Results) -> tuple[Cell, ...]:
    height, width = score.size
    values = [_measured(score, it) for it in results.metrics]
    shown = Cell(text=f"{height}×{width}", sort=height * width) if not score.error else Cell(text="–")
    seconds = _figure(score.seconds if score.model != INPUT else None, 3)
    return Cell(text=score.item, aside=score.error), Cell(text=score.model), shown, *values, seconds


def _measured(score: Score, metric: MetricInfo) -> Cell:
    capped = score.capped.get(metric.name, 0)
    cell = _figure(score.values.get(metric.name), metric.digits)
    return replace(cell, aside=f"{amount(capped, 'band')} capped") if capped else cell


def _figure(value: float | None, digits: int) -> Cell:
    if value is None or not math.isfinite(value):
        return Cell(text="–")
    return Cell(text=number(value, digits), sort=value)


def _done(results: Results, model: str) -> list[Score]:
    return [score for score in results.scores if score.model == model and not score.error]


def _where(score: Score) -> str:
    conditions = "".join(f" {name} {value}" for name, value in score.conditions.items())
    return f"{score.set}{conditions} {score.item}"
