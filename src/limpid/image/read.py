"""Reading a photo from wherever it is: sniff, check the size, decode, turn upright, keep what the file says about it."""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from torch import Tensor

from limpid.errors import PhotoError, is_out_of_memory, printable
from limpid.files import is_special, open_file
from limpid.image import read_heif, read_memory, read_pillow, read_png, read_ppm, read_tiff
from limpid.image.decoded import CutShortError, Decoded, Header
from limpid.image.formats import READ, SNIFFED, describe, format_of, is_read, sniff
from limpid.image.photo import Photo
from limpid.image.suppress_warnings import quiet
from limpid.image.upright import metadata, orientation_of, size_of, turned

MAX_PIXELS = 178_956_970
"""Default limit, in pixels: where Pillow, too, takes a file for a decompression bomb."""

_OWN: Mapping[str, tuple[Callable[..., Header], Callable[..., Decoded]]] = {
    "PNG": (read_png.header, read_png.decode),
    "TIFF": (read_tiff.header, read_tiff.decode),
    "PPM": (read_ppm.header, read_ppm.decode),
    "HEIF": (read_heif.header, read_heif.decode),
}
"""Format → what reads its header, and all of it; Pillow reads the others."""

_ANIMATED = ("GIF", "WEBP", "AVIF")

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | np.ndarray | Tensor
"""What a photo can be read from."""


def read(source: Source, *, max_pixels: int = MAX_PIXELS, allow_truncated: bool = False, frame: int | None = None) -> Photo:
    """Read one photo: a path, bytes, an open binary file, a Pillow image, an array (H, W[, C]) or a tensor ([1, ]3, H, W).

    ``max_pixels``: larger ones are refused from their header, before anything is decoded. ``allow_truncated``: show what
    there is of a JPEG, PNG or BMP that is cut short, instead of refusing it. ``frame``: which one of an animation or a TIFF of
    several, from 0; None: the first, and a note where there are others. Raises PhotoError, always one line with the
    name, the cause and the remedy.

    >>> photo = read(np.zeros((2, 3, 3), np.uint16))
    >>> photo.height, photo.width, photo.pixels.dtype.name, tuple(photo.tensor().shape)
    (2, 3, 'uint16', (3, 2, 3))
    """
    name = _name(source)
    with _refusing(source, name):
        return _read(source, name, max_pixels, allow_truncated, frame)


def size(source: str | os.PathLike[str] | bytes | BinaryIO, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width of a photo as ``read`` would give it, from its header alone; raises PhotoError as ``read`` does.

    >>> import io
    >>> file = io.BytesIO(b"P6 3 2 255 " + bytes(18))
    >>> size(file)
    (2, 3)
    """
    name = _name(source)
    with _refusing(source, name), ExitStack() as stack:
        file, format = _sniffed(source, name, stack)
        return size_of(_header(file, name=name, format=format, max_pixels=max_pixels))


def count_frames(source: str | os.PathLike[str] | bytes | BinaryIO, *, max_pixels: int = MAX_PIXELS) -> int:
    """How many frames an animation, or pictures a TIFF has; 1 for any other photo. Raises PhotoError as ``read`` does."""
    name = _name(source)
    with _refusing(source, name), ExitStack() as stack:
        file, format = _sniffed(source, name, stack)
        if format == "PNG":
            return read_png.frames(file, name=name, max_pixels=max_pixels)
        if format == "TIFF":
            return read_tiff.frames(file, name=name, max_pixels=max_pixels)
        if format in _ANIMATED:
            return read_pillow.frames(file, name=name, format=format, max_pixels=max_pixels)
    return 1


@contextmanager
def _refusing(source: Source, name: str) -> Iterator[None]:
    """Whatever is raised for a damaged file becomes a PhotoError of one line; no decoder says anything itself."""
    with quiet():
        try:
            yield
        except PhotoError:
            raise
        except CutShortError as fault:
            remedy = "show what there is with --allow-truncated" if fault.fillable else "get the file again"
            raise PhotoError(f"{name}: {fault}; {remedy}") from fault
        except Exception as fault:  # damaged files make decoders raise anything at all
            remedy = "close other programs" if is_out_of_memory(fault) else _remedy(source)
            raise PhotoError(f"{name}: cannot be read ({_first_line(fault)}); {remedy}") from fault


def _read(source: Source, name: str, max_pixels: int, allow_truncated: bool, frame: int | None) -> Photo:
    if isinstance(source, Image.Image):
        return _photo(read_pillow.from_image(source), name=name, format="PNG")
    if isinstance(source, (np.ndarray, Tensor)):
        return _photo(read_memory.decode(source), name=name, format="PNG")
    with ExitStack() as stack:
        file, format = _sniffed(source, name, stack)
        decoded = _decode(file, name=name, format=format, max_pixels=max_pixels, allow_truncated=allow_truncated, frame=frame)
    promised = format_of(name)
    if promised not in (None, format):
        decoded.notes.insert(0, f"it is {format} in spite of its extension")
    return _photo(decoded, name=name, format=format)


def _sniffed(source: Any, name: str, stack: ExitStack) -> tuple[BinaryIO, str]:
    """The source as a file at its start, and its format; raises PhotoError for what is none that is read here."""
    file = _open(source, name, stack)
    head = file.read(SNIFFED)
    format = sniff(head)
    if format is None or not is_read(format):
        hint = ", or HEIC after `pip install 'limpid[heif]'`" if format == "HEIF" else ""
        raise PhotoError(f"{name}: it is {describe(head)}; expected {READ}{hint}")
    file.seek(0)
    return file, format


def _open(source: Any, name: str, stack: ExitStack) -> BinaryIO:
    """The source as a file that can be read from the start and again."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)):
        if source.seekable() and source.tell() == 0:
            return source  # type: ignore[no-any-return]
        return io.BytesIO(source.read())
    try:
        if os.path.isdir(source) and os.access(source, os.R_OK):
            raise PhotoError(f"{name}: it is a folder; name a photo in it")
        if is_special(source):
            raise PhotoError(f"{name}: it is a pipe, a socket or a device; hand what comes from it to standard input (-)")
        return stack.enter_context(open_file(source))
    except OSError as fault:
        raise PhotoError(f"{name}: {fault.strerror or fault}; check the name and your permission to read it") from fault


def _header(file: BinaryIO, *, name: str, format: str, max_pixels: int) -> Header:
    if format in _OWN:
        return _OWN[format][0](file, name=name, max_pixels=max_pixels)
    return read_pillow.header(file, name=name, format=format, max_pixels=max_pixels)


def _decode(file: BinaryIO, *, name: str, format: str, max_pixels: int, allow_truncated: bool, frame: int | None) -> Decoded:
    try:
        return _try(file, name=name, format=format, max_pixels=max_pixels, fill=False, frame=frame)
    except CutShortError as fault:
        if not (allow_truncated and fault.fillable):
            raise
    file.seek(0)
    decoded = _try(file, name=name, format=format, max_pixels=max_pixels, fill=True, frame=frame)
    decoded.notes.append("it is cut short or damaged; the missing part was filled")
    return decoded


def _try(file: BinaryIO, *, name: str, format: str, max_pixels: int, fill: bool, frame: int | None) -> Decoded:
    if format == "PNG":
        return read_png.decode(file, name=name, max_pixels=max_pixels, fill=fill, frame=frame)
    if format == "TIFF":
        return read_tiff.decode(file, name=name, max_pixels=max_pixels, frame=frame)
    if frame and format not in _ANIMATED:
        raise PhotoError(f"{name}: it has one picture, not {frame + 1}; leave out the frame")
    if format in _OWN:
        return _OWN[format][1](file, name=name, max_pixels=max_pixels)
    return read_pillow.decode(file, name=name, format=format, max_pixels=max_pixels, fill=fill, frame=frame)


def _photo(decoded: Decoded, *, name: str, format: str) -> Photo:
    """The photo turned upright, with such metadata as is sound."""
    orientation = orientation_of(decoded)
    kept, notes = metadata(decoded, orientation)
    return Photo(
        pixels=turned(decoded.pixels, orientation),
        alpha=None if decoded.alpha is None else turned(decoded.alpha, orientation),
        format=format,
        metadata=kept,
        notes=notes,
        name=name,
    )


def _name(source: Source) -> str:
    if isinstance(source, (str, os.PathLike)):
        return printable(os.fspath(source))
    own = getattr(source, "filename", None) or getattr(source, "name", None)
    return printable(own) if isinstance(own, str) and own else "photo"


def _remedy(source: Source) -> str:
    in_memory = isinstance(source, (Image.Image, np.ndarray, Tensor))
    return "convert it to 8 or 16 bits, or fractions 0 to 1" if in_memory else "it is damaged, get the file again"


def _first_line(fault: Exception) -> str:
    text = str(fault).strip() or type(fault).__name__
    return printable(text.splitlines()[0])
