"""What See a run shows of a training folder while it fills: curves, the state in words, the newest pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from limpid.errors import LimpidError
from limpid.image.read import read
from limpid.image.size import fit
from limpid.layers.pixels import Pixels, change_depth
from limpid.training.trackers import TIMES, read_rows

_ROWS, _EPOCHS = "metrics.jsonl", "epochs.jsonl"
_NO_CURVE = {"step", "epoch", "samples", *TIMES}
_POINTS = 300  # of one curve
_SHOWN = 24  # pictures
_SIDE = 512  # pixels of the longer side of each
_WIDE, _HIGH, _MARGIN = 320, 150, 8  # of a drawing, in its own units
_COLOURS = ("var(--curve-1)", "var(--curve-2)")

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One number over the steps: ``points`` in their order; ``beside``: the same of the untouched input, if known."""

    name: str
    points: Sequence[Point]
    beside: Sequence[Point] = ()


def runs(folder: Path) -> dict[str, Path]:
    """Name → folder of the trainings in ``folder``, or of the one that it is; the one written to last comes first."""
    there = [path.parent for path in (folder / _ROWS, *folder.glob(f"*/{_ROWS}")) if path.is_file()]
    return {path.name: path for path in sorted(there, key=changed, reverse=True)}


def changed(run: Path) -> float:
    """When anything that is shown of a run was written last, in seconds of the clock; 0 for nothing."""
    return max((path.stat().st_mtime for path in (run / _ROWS, run / _EPOCHS) if path.is_file()), default=0.0)


def curves(run: Path) -> list[Curve]:
    """The scores of every epoch, then the losses and learning rates of every row; at most 300 points each, means of their rows."""
    scores, rows = _columns(read_rows(run / _EPOCHS)), _columns(read_rows(run / _ROWS))
    found = []
    for name, points in scores.items():
        place, _, metric = name.partition("/")
        if metric and place != "train" and not metric.startswith("input_"):
            found.append(Curve(name=name, points=points, beside=scores.get(f"{place}/input_{metric}", ())))
    return found + [Curve(name=name, points=_thinned(points)) for name, points in rows.items()]


def state(run: Path, now: float) -> str:
    """How far a run is and how long ago it said so, for a person; ``now``: seconds of the clock."""
    rows = read_rows(run / _ROWS)
    if not rows:
        return f"{run.name}: no row yet."
    last = rows[-1]
    speed = last.get("samples_per_second")
    facts = [f"epoch {last.get('epoch', 0)}", f"step {last['step']}", f"written {_ago(now - changed(run))} ago"]
    return f"{run.name}: {', '.join(facts + ([f'{speed:.1f} photos per second'] if speed else []))}."


def pictures(run: Path) -> list[tuple[Pixels, str]]:
    """What the network made of the run's photos after its newest epoch with pictures: (H, W, 3) uint8 and captions."""
    folders = sorted(run.glob("epoch_*"), key=lambda path: (len(path.name), path.name))
    found = []
    for path in sorted(folders[-1].glob("*/*.png"), key=_input_first)[:_SHOWN] if folders else ():
        try:
            found.append((_small(read(path).pixels), f"{path.parent.name}: {path.stem}"))
        except LimpidError:
            continue  # it is being written, or was just removed
    return found


def drawing(curve: Curve) -> str:
    """A curve as an HTML figure with a vector drawing and its least, greatest and last value in words."""
    everything = [*curve.points, *curve.beside]
    values = [value for _, value in everything]
    low, high = min(values), max(values)
    place = _placed([step for step, _ in everything], low, high)
    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(map(place, points))}"/>'
        for colour, points in zip(_COLOURS, (curve.points, curve.beside), strict=True)
        if points
    )
    name, last = escape(curve.name), curve.points[-1][1]
    beside = f", input {_number(curve.beside[-1][1])}" if curve.beside else ""
    words = f"{name}: {_number(last)}{beside}; from {_number(low)} to {_number(high)}"
    return (
        f'<figure class="curve"><figcaption>{words}</figcaption>'
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{words}">{lines}</svg></figure>'
    )


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Point]]:
    columns: dict[str, list[Point]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in _NO_CURVE and isinstance(value, int | float):
                columns.setdefault(name, []).append((row["step"], value))
    return columns


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    if len(points) <= _POINTS:
        return points
    parts = np.array_split(np.array(points, dtype=float), _POINTS)
    return [(float(part[-1, 0]), float(part[:, 1].mean())) for part in parts]


def _placed(steps: Sequence[float], low: float, high: float) -> Callable[[Point], str]:
    first, last = min(steps), max(steps)
    across, up = (last - first) or 1, (high - low) or 1

    def place(point: Point) -> str:
        x = _MARGIN + (point[0] - first) / across * (_WIDE - 2 * _MARGIN)
        y = _HIGH - _MARGIN - (point[1] - low) / up * (_HIGH - 2 * _MARGIN)
        return f"{x:.1f},{y:.1f}"

    return place


def _number(value: float) -> str:
    return f"{value:.4g}"


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _input_first(path: Path) -> tuple[str, bool, str]:
    return path.parent.name, path.stem != "input", path.stem


def _small(pixels: Pixels) -> Pixels:
    height, width = fit(pixels.shape[0], pixels.shape[1], _SIDE)
    small = cv2.resize(change_depth(pixels, np.uint8), (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)
    return np.ascontiguousarray(np.broadcast_to(small, (height, width, 3)))
