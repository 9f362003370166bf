"""A plot as SVG to put into a page: text stays text, and its ink takes the colour of the page, light or dark."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from limpid.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#010203"
"""The colour of text and axes while drawing; it becomes the page's own, which only the browser knows."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text, not outlines: small, and it can be searched and read aloud
    "svg.hashsalt": "limpid",  # the same numbers give the same bytes
    "text.parse_math": False,  # a model may be called $x$
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#808080",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def svg(name: str, caption: str, paint: Callable[["Axes"], None], *, size: tuple[float, float] = (4.4, 3.2)) -> str:
    """What ``paint`` draws on empty axes, as an ``<svg>`` element of ``size`` (width, height) inches that scales with its place.

    ``name``: unique on the page, letters and digits; it keeps the identifiers of plots apart. ``caption``: what a screen reader
    says. Raises MissingExtraError without matplotlib.
    """
    with _settings():
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        paint(figure.add_subplot())
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _embedded(text.getvalue(), name, caption)


@contextmanager
def _settings() -> Iterator[None]:
    try:
        from matplotlib import rc_context
    except ImportError as error:
        raise MissingExtraError("matplotlib", "evaluate", "the HTML report") from error
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser draws the text, with fonts that have the glyph
        yield


def _embedded(text: str, name: str, caption: str) -> str:
    body = text[text.index(">", text.index("<svg")) + 1 :]
    box = re.search(r'viewBox="([^"]*)"', text)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    body = body.replace(INK, "currentColor")
    view = box.group(1) if box else "0 0 317 231"
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {links} viewBox="{view}" role="img" aria-label="{escape(caption)}">{body}'
