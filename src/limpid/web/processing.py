"""One photo through one network into files, exactly as the command line makes them."""

import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from limpid.image.encode import check_format, target_format
from limpid.image.formats import EXTENSIONS
from limpid.image.photo import Photo
from limpid.image.write import write
from limpid.layers.pixels import Pixels
from limpid.runtime.batch import layer_pixels
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import Separator
from limpid.web.stopping import check


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The layers of a photo in its depth, (H, W, 1 or 3) by name, signed ones around middle grey; ``seconds`` it took.

    ``confidence``: how probable it is that there is something to remove; ``nothing``: too little to do anything.
    """

    photo: Photo
    pixels: Mapping[str, Pixels]
    confidence: float
    nothing: bool
    seconds: float


def separate(
    photo: Photo, separator: Separator, options: SeparationOptions, names: Sequence[str], mask: Pixels | None = None
) -> Layers:
    """Layers ``names`` of a photo; ``mask``: (H, W), 0…1, where the photo may change. Raises as the separator does."""
    started = time.perf_counter()
    check()
    size, made = (photo.height, photo.width), photo.pixels.nbytes * len(names)
    chosen = separator.plan(size, options, held=photo.pixels.nbytes, layers=made)
    share = None if mask is None else np.rint(255 * mask).astype(np.uint8)
    found, confidence, believed = layer_pixels(photo, separator, options, names, chosen, share)
    check()
    return Layers(photo=photo, pixels=found, confidence=confidence, nothing=believed == 0, seconds=time.perf_counter() - started)


def extension(photo: Photo, format: str | None) -> str:
    """Extension of the files of a photo's layers in ``format`` (None: its own). Raises what ``check_format`` raises."""
    target = target_format(photo, format)
    check_format(photo, target)
    return EXTENSIONS[target][0]


def encoded(pixels: Pixels, photo: Photo, format: str | None, quality: int) -> bytes:
    """The bytes of a file with a layer, like the photo in all but its colours."""
    buffer = BytesIO()
    write(pixels, buffer, like=photo, format=format, quality=quality)
    return buffer.getvalue()


def kept(content: bytes, name: str) -> str:
    """Path of a new file in a folder of its own below the temporary folder, which is private and removed at the end."""
    folder = Path(tempfile.gettempdir(), secrets.token_hex(16))
    folder.mkdir(mode=0o700)
    path = folder / name
    path.write_bytes(content)
    return str(path)
