"""Reading a photo from wherever it is: sniff, check the size, decode, turn upright, keep what the file says about it."""

import io
import os
from contextlib import ExitStack
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from torch import Tensor

from limpid.errors import PhotoError, is_out_of_memory, printable
from limpid.files import is_special, open_file
from limpid.image import exif, icc, read_memory, read_pillow, read_png, read_tiff
from limpid.image.decoded import CutShortError, Decoded
from limpid.image.formats import SNIFFED, describe, format_of, sniff
from limpid.image.photo import Metadata, Photo
from limpid.image.suppress_warnings import quiet
from limpid.layers.pixels import Pixels

MAX_PIXELS = 178_956_970
"""Default limit, in pixels: where Pillow, too, takes a file for a decompression bomb."""

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | np.ndarray | Tensor
"""What a photo can be read from."""


def read(source: Source, *, max_pixels: int = MAX_PIXELS, allow_truncated: bool = False) -> Photo:
    """Read one photo: a path, bytes, an open binary file, a Pillow image, an array (H, W[, C]) or a tensor ([1, ]3, H, W).

    ``max_pixels``: larger ones are refused from their header, before anything is decoded. ``allow_truncated``: show what
    there is of a JPEG, PNG or BMP that is cut short, instead of refusing it. Raises PhotoError, always one line with the
    name, the cause and the remedy.

    >>> photo = read(np.zeros((2, 3, 3), np.uint16))
    >>> photo.height, photo.width, photo.pixels.dtype.name, tuple(photo.tensor().shape)
    (2, 3, 'uint16', (3, 2, 3))
    """
    name = _name(source)
    with quiet():
        try:
            return _read(source, name, max_pixels, allow_truncated)
        except PhotoError:
            raise
        except CutShortError as fault:
            remedy = "show what there is with --allow-truncated" if fault.fillable else "get the file again"
            raise PhotoError(f"{name}: {fault}; {remedy}") from fault
        except Exception as fault:  # damaged files make decoders raise anything at all
            remedy = "close other programs" if is_out_of_memory(fault) else _remedy(source)
            raise PhotoError(f"{name}: cannot be read ({_first_line(fault)}); {remedy}") from fault


def _read(source: Source, name: str, max_pixels: int, allow_truncated: bool) -> Photo:
    if isinstance(source, Image.Image):
        return _photo(read_pillow.from_image(source), name=name, format="PNG")
    if isinstance(source, (np.ndarray, Tensor)):
        return _photo(read_memory.decode(source), name=name, format="PNG")
    with ExitStack() as stack:
        file = _open(source, name, stack)
        head = file.read(SNIFFED)
        format = sniff(head)
        if format is None:
            raise PhotoError(f"{name}: it is {describe(head)}; expected JPEG, PNG, WebP, TIFF, BMP, AVIF or GIF")
        file.seek(0)
        decoded = _decode(file, name=name, format=format, max_pixels=max_pixels, allow_truncated=allow_truncated)
    promised = format_of(name)
    if promised not in (None, format):
        decoded.notes.insert(0, f"it is {format} in spite of its extension")
    return _photo(decoded, name=name, format=format)


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


def _decode(file: BinaryIO, *, name: str, format: str, max_pixels: int, allow_truncated: bool) -> Decoded:
    if format == "TIFF":
        return read_tiff.decode(file, name=name, max_pixels=max_pixels)
    try:
        return _try(file, name=name, format=format, max_pixels=max_pixels, fill=False)
    except CutShortError as fault:
        if not (allow_truncated and fault.fillable):
            raise
    file.seek(0)
    decoded = _try(file, name=name, format=format, max_pixels=max_pixels, fill=True)
    decoded.notes.append("it is cut short or damaged; the missing part was filled")
    return decoded


def _try(file: BinaryIO, *, name: str, format: str, max_pixels: int, fill: bool) -> Decoded:
    if format == "PNG":
        return read_png.decode(file, name=name, max_pixels=max_pixels, fill=fill)
    return read_pillow.decode(file, name=name, format=format, max_pixels=max_pixels, fill=fill)


def _photo(decoded: Decoded, *, name: str, format: str) -> Photo:
    """The photo turned upright, with such metadata as is sound."""
    notes = decoded.notes
    block, orientation, xmp, profile = None, decoded.orientation, decoded.xmp, decoded.icc
    if decoded.exif:
        try:
            block, found = exif.clean(decoded.exif)
        except exif.BrokenExifError as fault:
            notes.append(f"broken EXIF dropped ({fault})")
        else:
            orientation = found if orientation is None else orientation
    if profile and not icc.fits(profile, grey=decoded.pixels.shape[2] == 1):
        notes.append("ICC profile dropped, as it is broken or describes other pixels")
        profile = None
    if xmp and orientation not in (None, 1):
        xmp = exif.upright_xmp(xmp)
    return Photo(
        pixels=_upright(decoded.pixels, orientation or 1),
        alpha=None if decoded.alpha is None else _upright(decoded.alpha, orientation or 1),
        format=format,
        metadata=Metadata(exif=block, xmp=xmp, icc=profile, dpi=decoded.dpi),
        notes=tuple(notes),
        name=name,
    )


def _upright(samples: Pixels, orientation: int) -> Pixels:
    """Samples (H, W, …) stored in one of the eight EXIF orientations, as they are to be seen."""
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return np.ascontiguousarray(samples)


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
