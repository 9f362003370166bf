"""The kinds of plots: clouds of images, boxes of distributions, curves over a level, bars over classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from limpid.evaluation.table import GREY, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = NDArray[np.float64]
Marks = Mapping[str, Mark]

MOST_DOTS = 1200
"""Dots per model: more would only cover each other, and each is 80 bytes of the page."""


_WIDEST = 18  # characters of a label beside an axis


@dataclass(frozen=True)
class Line:
    """Means of one model over levels or classes, NaN where there is none, and the ends of their intervals."""

    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def cloud(axes: "Axes", pairs: Mapping[str, tuple[Values, Values]], marks: Marks, titles: tuple[str, str]) -> None:
    """A dot per image, input (first of the pair) against output; on the diagonal nothing changed; ``titles``: of both axes."""
    inputs = []
    for model, (before, after) in pairs.items():
        shown = np.flatnonzero(np.isfinite(before) & np.isfinite(after))
        shown = shown[np.linspace(0, len(shown) - 1, min(len(shown), MOST_DOTS)).astype(np.intp)]
        mark = marks[model]
        axes.scatter(before[shown], after[shown], s=16, marker=mark.shape, color=mark.colour, alpha=0.7, linewidths=0.3)
        inputs.append(before[shown])
    ends = np.concatenate(inputs)
    axes.plot([ends.min(), ends.max()], [ends.min(), ends.max()], color=GREY, linestyle="--", linewidth=1)
    axes.set_xlabel(titles[0])
    axes.set_ylabel(titles[1])


def boxes(axes: "Axes", values: Mapping[str, Values], marks: Marks, title: str) -> None:
    """A box per model, first on top: quartiles, median, whiskers from the 5th to the 95th percentile, a diamond at the mean."""
    for place, (model, row) in enumerate(values.items()):
        shown = row[np.isfinite(row)]
        colour = marks[model].colour
        lines = {"color": colour, "linewidth": 1.2}
        axes.boxplot(
            shown,
            positions=[-place],
            orientation="horizontal",
            widths=0.55,
            whis=(5, 95),
            showmeans=True,
            patch_artist=True,
            boxprops={"facecolor": f"{colour}40", "edgecolor": colour},
            medianprops=lines | {"linewidth": 2},
            whiskerprops=lines,
            capprops=lines,
            meanprops={"marker": "D", "markersize": 4, "markerfacecolor": colour, "markeredgecolor": colour},
            flierprops={"marker": ".", "markersize": 3, "markerfacecolor": colour, "markeredgewidth": 0},
        )
    axes.set_yticks([-place for place in range(len(values))], [_short(model) for model in values])
    axes.set_xlabel(title)
    axes.grid(visible=False, axis="y")


def curves(axes: "Axes", levels: Sequence[float], lines: Mapping[str, Line], marks: Marks, titles: tuple[str, str]) -> None:
    """A curve per model over ``levels``, with a band for its interval; ``titles``: of the level and of the value."""
    for model, line in lines.items():
        mark = marks[model]
        axes.fill_between(levels, line.low, line.high, color=mark.colour, alpha=0.15, linewidth=0)
        axes.plot(levels, line.mean, color=mark.colour, linestyle=mark.stroke, marker=mark.shape, markersize=4.5, linewidth=1.5)
    axes.set_xticks(levels, [f"{level:g}" for level in levels])
    axes.set_xlabel(titles[0])
    axes.set_ylabel(titles[1])


def bars(axes: "Axes", classes: Sequence[str], lines: Mapping[str, Line], marks: Marks, titles: tuple[str, str]) -> None:
    """A group of bars per class, one bar per model, with a stroke for its interval; ``titles``: of the class and of the value."""
    width = 0.8 / len(lines)
    places = np.arange(len(classes))
    for order, (model, line) in enumerate(lines.items()):
        mean = np.asarray(line.mean)
        reach = np.abs(np.asarray([line.low, line.high]) - mean)
        centres = places + (order - (len(lines) - 1) / 2) * width
        axes.bar(centres, mean, width * 0.92, color=marks[model].colour, yerr=reach, error_kw={"ecolor": GREY, "elinewidth": 1.2})
    axes.set_xticks(places, list(classes))
    axes.set_xlabel(titles[0])
    axes.set_ylabel(titles[1])
    axes.grid(visible=False, axis="x")


def _short(label: str) -> str:
    return label if len(label) <= _WIDEST else f"{label[: _WIDEST - 7]}…{label[-6:]}"
