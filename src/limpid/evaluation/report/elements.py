"""What a page is made of: sections of blocks, each block drawn by the template that ``kind`` names."""

from collections.abc import Mapping, Sequence
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
    """Cells, the first of which names the row; ``kind``: ``input``, ``published`` or nothing."""

    cells: tuple[Cell, ...]
    kind: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that sorts at a click on a heading; ``folded``: shown when asked for."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A plot, an ``<svg>`` element, and the line below it."""

    svg: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Charts:
    """Plots side by side."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart, ...]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A photo of a scene: what it is, its score in words, its data URI."""

    label: str
    score: str
    uri: str


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One item seen by all models: pictures of one size (``width``, ``height`` in pixels), to be compared with a slider."""

    kind: ClassVar[str] = "scene"
    key: str
    title: str
    why: str
    pictures: tuple[Picture, ...]
    width: int
    height: int
    right: int
    """Place of the picture that starts on the right; the first starts on the left."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """A list of remarks."""

    kind: ClassVar[str] = "lines"
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, kw_only=True)
class Legend:
    """Which mark is which model."""

    kind: ClassVar[str] = "legend"
    marks: Mapping[str, Mark]


Block = Table | Charts | Scene | Lines | Heading | Legend


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page; ``key``: its address, ``words``: what a reader must know first."""

    key: str
    title: str
    words: str
    blocks: tuple[Block, ...]
