"""Photos inside the page: reduced, as JPEG, as data URIs."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from limpid.image.photo import quantise
from limpid.image.read import read

LONGEST = 640
"""Longest side of a photo in the page, pixels."""

_QUALITY = 88


@dataclass(frozen=True)
class Inlined:
    """A photo as ``uri``, ``width`` and ``height`` pixels."""

    uri: str
    width: int
    height: int


def inlined(path: Path) -> Inlined:
    """The photo at ``path``, at most ``LONGEST`` pixels long, ready for ``<img src>``; raises PhotoError when it cannot be read."""
    photo = Image.fromarray(quantise(read(path).tensor(), np.uint8))
    photo.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=_QUALITY)
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return Inlined(f"data:image/jpeg;base64,{code}", *photo.size)
