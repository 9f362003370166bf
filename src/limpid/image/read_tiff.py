"""TIFF: 16 bits, fractions and everything uncompressed by tifffile or OpenCV; other photos of 8 bits by Pillow."""

import struct
from collections.abc import Sequence
from io import BytesIO
from typing import Any, BinaryIO, Literal

import cv2
import numpy as np
import tifffile
from PIL import Image

from limpid.errors import PhotoError
from limpid.image import iptc, read_pillow
from limpid.image.decoded import CutShortError, Decoded, Described, Header, check_size, divide, finite_fractions
from limpid.image.tiff_file import DESCRIPTIVE, EXIF, GPS
from limpid.image.tiff_pages import count_pictures, photo_page
from limpid.layers.pixels import white

_MIN_IS_WHITE, _RGB, _PALETTE = 0, 2, 3
_GREYS = (_MIN_IS_WHITE, 1)
_ORIENTATION, _XMP, _IPTC, _PHOTOSHOP, _ICC = 274, 700, 33723, 34377, 34675
_RESOLUTION = (296, 282, 283)  # unit, across, down
_COMMON = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946)
"""Compressions that every build of libtiff undoes: CCITT, LZW, JPEG, ZIP, PackBits."""
_ASSOCIATED_ALPHA, _PLAIN_ALPHA = 1, 2


def header(file: BinaryIO, *, name: str, max_pixels: int) -> Header:
    """Size and metadata of the photo in a TIFF. Raises PhotoError for one that is too large or not developed."""
    with tifffile.TiffFile(file) as tiff:
        page, _ = _page(tiff, name, max_pixels)
        return Header(width=page.imagewidth, height=page.imagelength, **vars(_described(tiff, page)))


def frames(file: BinaryIO, *, name: str, max_pixels: int) -> int:
    """How many pictures there are. Raises what tifffile raises for damage."""
    with tifffile.TiffFile(file) as tiff:
        return count_pictures(tiff)


def decode(file: BinaryIO, *, name: str, max_pixels: int, frame: int | None = None) -> Decoded:
    """Decode the photo in a TIFF, or one of several; 16 bits and fractions stay what they are.

    Raises PhotoError for a page that is too large or of a kind that nothing here reads, CutShortError, and whatever the
    libraries raise for damage.
    """
    with tifffile.TiffFile(file) as tiff:
        page, several = _page(tiff, name, max_pixels, frame or 0)
        decoded = _pixels(file, page, name=name, max_pixels=max_pixels)
        converted = page.photometric not in (*_GREYS, _RGB, _PALETTE)
        found = _described(tiff, page)
    found.icc = decoded.icc if converted else found.icc
    found.exif = _exif(file, found.notes)
    if several and frame is None:
        found.notes.append("first page of several")
    return decoded.described(found)


def _page(tiff: tifffile.TiffFile, name: str, max_pixels: int, frame: int = 0) -> tuple[tifffile.TiffPage, bool]:
    """The page of the photo or of a later frame, and whether there are others; every size is checked."""
    page, several = photo_page(tiff, name, frame)
    check_size(name, page.imagewidth, page.imagelength, max_pixels)
    if page.is_tiled:
        check_size(name, page.tilewidth, page.tilelength, max_pixels)
    return page, several


def _described(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> Described:
    """What the directory of the photo says of it, or else the first one, which cameras fill for all."""
    pages = (page, tiff.pages.first)
    return Described(
        xmp=_bytes(pages, _XMP),
        icc=_bytes(pages, _ICC),
        iptc=_iptc(pages),
        dpi=next(filter(None, map(_dots_per_inch, pages)), None),
        orientation=next((number for number in (_orientation(one) for one in pages) if number), None),
    )


def _pixels(file: BinaryIO, page: tifffile.TiffPage, *, name: str, max_pixels: int) -> Decoded:
    plain = page.photometric in (*_GREYS, _RGB) and page.dtype is not None
    uncompressed = page.compression == 1 and page.bitspersample in (8, 16, 32, 64)
    by_pillow = page.dtype == np.uint8 and not uncompressed and not (page.parent.is_bigtiff and page.parent.byteorder == ">")
    if plain and page.samplesperpixel <= 8 and not by_pillow and page.bitspersample >= 8:
        _check_whole(file, page)
        samples = _stored(page) if uncompressed else _compressed(file, page, name)
        return _finish(samples, page, name)
    if (page.bitspersample or 8) > 8:
        photometric = getattr(page.photometric, "name", page.photometric)
        raise PhotoError(f"{name}: a TIFF of {page.bitspersample} bits in {photometric} is not read; save it as 16-bit RGB")
    try:
        return read_pillow.decode(_leading(file, page), name=name, format="TIFF", max_pixels=max_pixels)
    except (PhotoError, CutShortError):
        raise
    except Exception as fault:  # of a compression that this build of Pillow lacks it says anything
        if page.compression in _COMMON:
            raise
        raise _unsupported(page, name) from fault


def _unsupported(page: tifffile.TiffPage, name: str) -> PhotoError:
    compression = getattr(page.compression, "name", page.compression)
    return PhotoError(f"{name}: a TIFF with the compression {compression} is not read; save it uncompressed or with ZIP or LZW")


def _leading(file: BinaryIO, page: tifffile.TiffPage) -> BinaryIO:
    """The file as one whose first directory is that of the page, upright, for readers that know no other and turn pixels."""
    file.seek(0)
    if page.offset == page.parent.pages.first.offset and _orientation(page) in (None, 1):
        return file
    data = bytearray(file.read())
    order: Literal["little", "big"] = "big" if page.parent.byteorder == ">" else "little"
    size = page.parent.tiff.offsetsize
    data[size : 2 * size] = page.offset.to_bytes(size, order)
    if (tag := page.tags.get(_ORIENTATION)) is not None:
        width = {1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4}.get(int(tag.dtype), 0)
        data[tag.valueoffset : tag.valueoffset + width] = (1).to_bytes(width, order)
    return BytesIO(data)


def _check_whole(file: BinaryIO, page: tifffile.TiffPage) -> None:
    end = file.seek(0, 2)
    reach = (offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True))
    stored = sum(page.databytecounts)
    if max(reach, default=0) > end or stored == 0 or (page.compression == 1 and stored < page.nbytes):
        raise CutShortError(fillable=False)
    if stored > end:  # a small file could ask for any amount of memory
        raise ValueError("its strips overlap")


def _stored(page: tifffile.TiffPage) -> np.ndarray:
    """Samples of an uncompressed page as (H, W, C); its strips lie in the file, so they are no larger than it."""
    samples = page.asarray(maxworkers=1)
    if samples.ndim == 2:
        return samples[..., None]
    return np.moveaxis(samples, 0, -1) if page.planarconfig == 2 else samples


def _compressed(file: BinaryIO, page: tifffile.TiffPage, name: str) -> np.ndarray:
    """Samples of a compressed page as (H, W, C), by OpenCV's libtiff, whose buffers never outgrow the page."""
    count = page.samplesperpixel
    if not (page.dtype in (np.uint8, np.uint16, np.float32, np.float64) and count in (1, 3, 4) and page.planarconfig == 1):
        kind = f"{page.dtype}, {count} samples, planar layout {page.planarconfig}"
        raise PhotoError(f"{name}: a compressed TIFF of this kind ({kind}) is not read; save it uncompressed")
    if page.compression not in _COMMON:
        raise _unsupported(page, name)
    data = np.frombuffer(_leading(file, page).read(), dtype=np.uint8)
    samples = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != page.dtype or samples.shape[:2] != (page.imagelength, page.imagewidth):
        raise ValueError("its compressed data is broken")
    if samples.ndim == 2:
        return np.asarray(samples[..., None])
    return np.asarray(samples[..., [2, 1, 0, 3][: samples.shape[2]]])


def _finish(samples: np.ndarray, page: tifffile.TiffPage, name: str) -> Decoded:
    notes: list[str] = []
    if samples.dtype.kind != "f" and samples.dtype not in (np.uint8, np.uint16):
        raise PhotoError(f"{name}: its samples are {samples.dtype}; expected 8 or 16 bits or fractions, convert it first")
    colours = 3 if page.photometric == _RGB else 1
    if samples.shape[2] < colours:
        raise ValueError(f"RGB with {samples.shape[2]} samples")
    kinds = [int(kind) for kind in page.extrasamples or ()][: samples.shape[2] - colours]
    alpha_kind = next((kind for kind in kinds if kind in (_ASSOCIATED_ALPHA, _PLAIN_ALPHA)), None)
    if samples.shape[2] > colours + (alpha_kind is not None):
        notes.append("extra channels dropped")
    colour = samples[..., :colours]
    alpha = None if alpha_kind is None else samples[..., colours + kinds.index(alpha_kind)]
    if samples.dtype.kind == "f":
        colour = finite_fractions(colour, notes)
        alpha = None if alpha is None else finite_fractions(alpha, notes)
    if page.photometric == _MIN_IS_WHITE:
        colour = white(colour.dtype) - colour
    if alpha is not None and alpha_kind == _ASSOCIATED_ALPHA:
        notes.append("colours divided by the alpha they were multiplied with")
        colour = divide(colour, alpha)
    return Decoded(pixels=colour, alpha=alpha, notes=notes)


def _exif(file: BinaryIO, notes: list[str]) -> bytes | None:
    """The camera's directories of a TIFF as an EXIF block of its own; None when there are none, or with a note when broken."""
    file.seek(0)
    found, kept = Image.Exif(), Image.Exif()
    try:
        found.load_from_fp(file)
        for tag in DESCRIPTIVE:
            if tag in found:
                kept[tag] = found[tag]
        for directory in (EXIF, GPS):
            kept.get_ifd(directory).update(found.get_ifd(directory))
            if directory in found and not kept.get_ifd(directory):
                notes.append("a broken part of EXIF dropped")
        return kept.tobytes() if len(kept) or kept.get_ifd(EXIF) or kept.get_ifd(GPS) else None
    except Exception:  # noqa: BLE001 - damaged metadata raises anything, and never costs the user the photo
        notes.append("broken EXIF dropped")
        return None


def _orientation(page: tifffile.TiffPage) -> int | None:
    """The orientation, 1…8, that a directory names; None when it names none."""
    value = page.tags[_ORIENTATION].value if _ORIENTATION in page.tags else None
    first = value[0] if isinstance(value, (tuple, bytes)) and value else value
    return int(first) if isinstance(first, int) and 1 <= first <= 8 else None


def _bytes(pages: Sequence[tifffile.TiffPage], code: int) -> bytes | None:
    """The first of these directories that holds bytes under a tag decides."""
    values = (page.tags[code].value for page in pages if code in page.tags)
    return next((value for value in values if isinstance(value, bytes) and value), None)


def _iptc(pages: Sequence[tifffile.TiffPage]) -> bytes | None:
    """Captions under their own tag, which some write as numbers of 32 bits, or among Photoshop's resources."""
    for page in pages:
        value = page.tags[_IPTC].value if _IPTC in page.tags else None
        if isinstance(value, tuple) and all(isinstance(number, int) and 0 <= number < 1 << 32 for number in value):
            value = struct.pack(f"{page.parent.byteorder}{len(value)}I", *value).rstrip(b"\0")
        if isinstance(value, bytes) and (found := iptc.records(value)):
            return found
    return iptc.records(_bytes(pages, _PHOTOSHOP) or b"")


def _dots_per_inch(page: tifffile.TiffPage) -> tuple[float, float] | None:
    values: list[Any] = [page.tags[code].value if code in page.tags else None for code in _RESOLUTION]
    unit, *rationals = values
    scale = {2: 1.0, 3: 2.54}.get(unit if isinstance(unit, int) else 2)
    if scale is None or not all(isinstance(value, tuple) and len(value) == 2 and value[1] for value in rationals):
        return None
    across, down = (value[0] / value[1] * scale for value in rationals)
    return (across, down) if min(across, down) > 0 else None
