"""What a table is, whoever draws it: columns, rows of cells, and the mark by which a model is known everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import ClassVar

from limpid.evaluation.results import INPUT


@dataclass(frozen=True)
class Mark:
    """``colour``: #rrggbb, readable on white and on black; ``glyph``: the shape as a character, for legends.

    ``shape`` of a dot and ``stroke`` of a line are matplotlib's letters.
    """

    colour: str
    shape: str
    glyph: str
    stroke: str = "-"


GREY = "#858585"
"""What belongs to no model: the untouched input, guides."""

_INPUT = Mark(GREY, "x", "✕", "--")

# Okabe and Ito's palette, moved to a middle lightness; https://jfly.uni-koeln.de/color/
_MODELS = (
    Mark("#2a86d1", "o", "●"),
    Mark("#dd7d0b", "s", "■"),
    Mark("#12a37c", "^", "▲"),
    Mark("#cc5f9d", "D", "◆"),
    Mark("#9a8a00", "v", "▼"),
    Mark("#d9502f", "P", "✚"),
    Mark("#4bb3dd", "*", "★"),
    Mark("#8a78d6", "X", "✖"),
)


def marks(models: Sequence[str]) -> dict[str, Mark]:
    """The mark of every model of ``models``, by order; beyond eight they repeat."""
    shown = cycle(_MODELS)
    return {model: _INPUT if model == INPUT else next(shown) for model in models}


@dataclass(frozen=True, kw_only=True)
class Column:
    """Heading of a column; ``aside``: a second, smaller line; ``spoken``: the whole of it in words."""

    title: str
    aside: str = ""
    spoken: str = ""
    numeric: bool = True


@dataclass(frozen=True, kw_only=True)
class Cell:
    """``text``, a smaller second line ``aside``, and what it sorts by (None: by its text, after the numbers)."""

    text: str
    aside: str = ""
    sort: float | None = None
    best: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """Cells, the first of which names the row; ``kind``: ``input``, ``published`` or nothing; ``rule``: a line is drawn above."""

    cells: tuple[Cell, ...]
    kind: str = ""
    mark: Mark | None = None
    rule: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that sorts at a click on a heading; ``folded``: shown when asked for."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    folded: bool = False
