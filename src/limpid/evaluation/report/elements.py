"""What a page is made of: sections of blocks, each block drawn by the template that ``kind`` names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from limpid.evaluation.table import Mark, Table


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
