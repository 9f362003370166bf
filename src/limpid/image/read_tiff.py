"""TIFF: 16 bits, fractions and everything uncompressed by tifffile or OpenCV; other photos of 8 bits by Pillow."""

from typing import BinaryIO

import cv2
import numpy as np
import tifffile
from PIL import Image

from limpid.errors import PhotoError
from limpid.image import read_pillow
from limpid.image.decoded import CutShortError, Decoded, check_size, finite_fractions
from limpid.image.tiff_file import DESCRIPTIVE, EXIF, GPS
from limpid.layers.pixels import Pixels, white

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB = 0, 1, 2
_ORIENTATION, _RESOLUTION_UNIT, _XMP, _ICC = 274, 296, 700, 34675
_ASSOCIATED_ALPHA, _PLAIN_ALPHA = 1, 2


def decode(file: BinaryIO, *, name: str, max_pixels: int) -> Decoded:
    """Decode the first page of a TIFF; 16 bits and fractions stay what they are.

    Raises PhotoError for a page that is too large or of a kind that nothing here reads, CutShortError, and whatever the
    libraries raise for damage.
    """
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        check_size(name, page.imagewidth, page.imagelength, max_pixels)
        if page.is_tiled:
            check_size(name, page.tilewidth, page.tilelength, max_pixels)
        several = _has_second_page(tiff)
        decoded = _pixels(file, page, name=name, max_pixels=max_pixels)
        decoded.xmp = _bytes(page, _XMP)
        decoded.dpi = _dots_per_inch(page)
    decoded.exif = _exif(file)
    if several:
        decoded.notes.append("first page of several")
    return decoded


def _pixels(file: BinaryIO, page: tifffile.TiffPage, *, name: str, max_pixels: int) -> Decoded:
    plain = page.photometric in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB) and page.dtype is not None
    uncompressed = page.compression == 1 and page.bitspersample in (8, 16, 32, 64)
    if plain and page.samplesperpixel <= 8 and (page.dtype != np.uint8 or uncompressed) and page.bitspersample >= 8:
        _check_whole(file, page)
        samples = _stored(page) if uncompressed else _compressed(file, page, name)
        return _finish(samples, page, name)
    if (page.bitspersample or 8) > 8:
        photometric = getattr(page.photometric, "name", page.photometric)
        raise PhotoError(f"{name}: a TIFF of {page.bitspersample} bits in {photometric} is not read; save it as 16-bit RGB")
    file.seek(0)
    decoded = read_pillow.decode(file, name=name, format="TIFF", max_pixels=max_pixels)
    decoded.orientation = 1  # Pillow turns a TIFF upright when loading
    return decoded


def _has_second_page(tiff: tifffile.TiffFile) -> bool:
    """Whether another picture follows, other than a small copy of the first; the rest of the chain is not walked."""
    try:
        page = tiff.pages[1]
    except IndexError:
        return False
    return not (isinstance(page, tifffile.TiffPage) and page.is_reduced)


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
    if not (page.dtype in (np.uint16, np.float32, np.float64) and count in (1, 3, 4) and page.planarconfig == 1):
        kind = f"{page.dtype}, {count} samples, planar layout {page.planarconfig}"
        raise PhotoError(f"{name}: a compressed TIFF of this kind ({kind}) is not read; save it uncompressed")
    file.seek(0)
    data = bytearray(file.read())
    if (tag := page.tags.get(_ORIENTATION)) is not None:  # OpenCV would turn the pixels; that is our task
        data[tag.valueoffset : tag.valueoffset + 2] = (1).to_bytes(2, "big" if page.parent.byteorder == ">" else "little")
    samples = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != page.dtype or samples.shape[:2] != (page.imagelength, page.imagewidth):
        raise ValueError("its compressed data is broken")
    if samples.ndim == 2:
        return np.asarray(samples[..., None])
    return np.asarray(samples[..., [2, 1, 0, 3][: samples.shape[2]]])


def _finish(samples: np.ndarray, page: tifffile.TiffPage, name: str) -> Decoded:
    notes: list[str] = []
    if samples.dtype.kind == "f":
        samples = finite_fractions(samples, notes)
    elif samples.dtype not in (np.uint8, np.uint16):
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
    if page.photometric == _MIN_IS_WHITE:
        colour = white(samples.dtype) - colour
    if alpha is not None and alpha_kind == _ASSOCIATED_ALPHA:
        notes.append("colours divided by the alpha they were multiplied with")
        colour = _divide(colour, alpha)
    tag = page.tags.get(_ORIENTATION)
    orientation = int(tag.value) if tag else 1
    return Decoded(pixels=colour, alpha=alpha, icc=_bytes(page, _ICC), orientation=orientation, notes=notes)


def _divide(colour: Pixels, alpha: Pixels) -> Pixels:
    """Colour stored multiplied by alpha, divided again; black where alpha is 0."""
    top = white(colour.dtype)
    weight = np.where(alpha > 0, top / np.maximum(alpha, np.finfo(np.float32).tiny), 0.0)[..., None]
    values = (colour * weight).clip(0, top)
    return (values.round() if top > 1 else values).astype(colour.dtype)


def _exif(file: BinaryIO) -> bytes | None:
    """The camera's directories of a TIFF as an EXIF block of its own; None when there are none."""
    file.seek(0)
    found, kept = Image.Exif(), Image.Exif()
    try:
        found.load_from_fp(file)
        for tag in DESCRIPTIVE:
            if tag in found:
                kept[tag] = found[tag]
        for directory in (EXIF, GPS):
            kept.get_ifd(directory).update(found.get_ifd(directory))
        return kept.tobytes() if len(kept) or kept.get_ifd(EXIF) or kept.get_ifd(GPS) else None
    except Exception:  # noqa: BLE001 - damaged metadata raises anything, and never costs the user the photo
        return None


def _bytes(page: tifffile.TiffPage, code: int) -> bytes | None:
    tag = page.tags.get(code)
    value = tag.value if tag is not None else None
    return value if isinstance(value, bytes) and value else None


def _dots_per_inch(page: tifffile.TiffPage) -> tuple[float, float] | None:
    unit = page.tags.get(_RESOLUTION_UNIT)
    scale = {2: 1.0, 3: 2.54}.get(int(unit.value) if unit is not None else 2)
    across, down = page.tags.get("XResolution"), page.tags.get("YResolution")
    if scale is None or across is None or down is None:
        return None
    values = [tag.value[0] / tag.value[1] * scale if tag.value[1] else 0.0 for tag in (across, down)]
    return (values[0], values[1]) if min(values) > 0 else None
