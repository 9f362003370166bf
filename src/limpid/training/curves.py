"""The curves of runs as a picture: losses, scores and rates, read from their records."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limpid.errors import MissingExtraError, UsageError
from limpid.files import replacing
from limpid.training.kept_weights import RESUME
from limpid.training.trackers import TIMES, read_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = "curves.png"
"""The picture of one run, below its folder."""

_BESIDE = {"step", "epoch", "samples", *TIMES}
Curve = tuple[list[float], list[float]]
"""Steps, and the values there."""


def draw_curves(runs: Sequence[Path], out: Path) -> Path:
    """Draw one panel for each loss, measure and rate over the steps of all ``runs``, as a PNG; returns ``out``.

    A dashed line is what the untouched input scores. Raises UsageError for a folder without records, MissingExtraError without
    matplotlib, and DiskError.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train", "drawing curves") from error
    found = {run: panels_of(run) for run in runs}
    titles = list(dict.fromkeys(title for panels in found.values() for title in panels))
    across = min(3, len(titles))
    down = -(-len(titles) // across)
    figure = Figure(figsize=(4.5 * across, 3 * down), layout="constrained")
    grid = list(figure.subplots(down, across, squeeze=False).flat)
    for title, axes in zip(titles, grid, strict=False):
        _draw(axes, title, {run.name: panels[title] for run, panels in found.items() if title in panels}, several=len(runs) > 1)
    for axes in grid[len(titles) :]:
        axes.set_axis_off()
    with replacing(out, RESUME) as partial, partial.open("wb") as file:
        figure.savefig(file, format="png", dpi=110)
    return out


def panels_of(run: Path) -> dict[str, dict[str, Curve]]:
    """Title of a panel → name of a curve → its points: losses and rates by step, scores by epoch. Raises UsageError without any."""
    panels: dict[str, dict[str, Curve]] = {}
    for title, name, step, value in (*_steps(run), *_epochs(run)):
        steps, values = panels.setdefault(title, {}).setdefault(name, ([], []))
        steps.append(step)
        values.append(value)
    if not panels:
        raise UsageError(f"{run} holds no records of a training; name the folder of a run, such as runs/NAME")
    return panels


def _steps(run: Path) -> Iterator[tuple[str, str, float, float]]:
    for row in read_rows(run / "metrics.jsonl"):
        for name, value in _numbers(row):
            title = "learning rate" if name == "lr" or name.startswith("lr_") else name
            yield title, {"lr": "network"}.get(name, name.removeprefix("lr_")), row["step"], value


def _epochs(run: Path) -> Iterator[tuple[str, str, float, float]]:
    for row in read_rows(run / "epochs.jsonl"):
        for name, value in _numbers(row):
            owner, _, measure = name.partition("/")
            if owner != "train" and measure:
                untouched = measure.startswith("input_")
                yield measure.removeprefix("input_"), f"{owner}, input" if untouched else owner, row["step"], value


def _numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    return ((name, value) for name, value in row.items() if name not in _BESIDE and isinstance(value, int | float))


def _draw(axes: "Axes", title: str, curves: Mapping[str, Mapping[str, Curve]], *, several: bool) -> None:
    """One panel; losses whose values span more than a factor of ten are drawn on a logarithmic scale."""
    points: list[float] = []
    for place, (run, named) in enumerate(curves.items()):
        for number, (name, (steps, values)) in enumerate(named.items()):
            label = f"{run}, {name}" if several and name != title else run if several else name
            dashed = name.endswith(", input")
            axes.plot(steps, values, "--" if dashed else "-", label=label, color=f"C{place if several else number}", linewidth=1.2)
            points += values
    if points and min(points) > 0 and max(points) > 10 * min(points) and math.isfinite(max(points)):
        axes.set_yscale("log")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    if several or any(len(named) > 1 for named in curves.values()):
        axes.legend(fontsize=7)
