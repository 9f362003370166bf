"""A separation as a notebook shows it: two layers under a slider, in plain HTML that asks nobody for anything."""

import io
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Any

_LONGEST = 900  # pixels of the longer side: what a notebook's column shows
_FRAME = "display:block;width:100%;margin:0"
_MOVE = "this.parentNode.querySelectorAll('img')[1].style.clipPath='inset(0 0 0 '+this.value+'%)'"


def slider(pictures: Mapping[str, Any]) -> str:
    """HTML of the first two of ``pictures`` (name → 8-bit RGB PIL image), one over the other under a slider, or of the only one."""
    names = list(pictures)[:2]
    width = min(_LONGEST, pictures[names[0]].width)
    images = "".join(_image(name, pictures[name], place) for place, name in enumerate(names))
    words = " | ".join(map(escape, names))
    control = f'<input type="range" min="0" max="100" value="50" aria-label="{words}" oninput="{_MOVE}" style="{_FRAME}">'
    return (
        f'<div style="max-width:{width}px"><div style="position:relative">{images}{control if len(names) > 1 else ""}</div>'
        f"<small>{words}</small></div>"
    )


def _image(name: str, picture: Any, place: int) -> str:
    small = picture.copy()
    small.thumbnail((_LONGEST, _LONGEST))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    over = "position:absolute;top:0;left:0;clip-path:inset(0 0 0 50%);" if place else ""
    source = f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
    return f'<img alt="{escape(name)}" src="{source}" style="{over}{_FRAME}">'
