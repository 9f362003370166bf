"""How a model looks in every plot: a colour that colour-blind readers tell apart, a shape, a stroke."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

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
