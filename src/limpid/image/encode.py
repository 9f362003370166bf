"""From pixels to the bytes of a file: depth, alpha, profile and metadata kept as far as the format can hold them."""

import secrets
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image
from torch import Tensor

from limpid.errors import PhotoError, SettingError, ShapeError
from limpid.image import icc, iptc, png_chunks, tiff_file
from limpid.image.formats import WRITABLE, canonical
from limpid.image.photo import Metadata, Photo
from limpid.image.suppress_warnings import quiet
from limpid.layers.pixels import Pixels, change_depth, quantise, white

_LARGEST_SEGMENT = 65533 - 32
"""Bytes of EXIF or XMP that fit a JPEG segment beside its own heading."""

_DENSEST = 65535
"""Dots per inch that every format can hold, from 1 on; a file that claims others is mistaken, or up to something."""

_INCH = 0.0254


@dataclass(frozen=True, kw_only=True)
class _Holds:
    """What a format can hold besides 8-bit colour."""

    depths: tuple[str, ...] = ("uint8",)
    alpha: bool = True
    kept: tuple[str, ...] = ("exif", "xmp", "icc")
    side: int = 65535


_HOLDS: Mapping[str, _Holds] = {
    "JPEG": _Holds(alpha=False, kept=("exif", "xmp", "icc", "iptc", "dpi")),
    "PNG": _Holds(depths=("uint8", "uint16"), kept=("exif", "xmp", "icc", "dpi"), side=2**31 - 1),
    "WEBP": _Holds(side=16383),
    "TIFF": _Holds(depths=("uint8", "uint16", "float32"), kept=("exif", "xmp", "icc", "iptc", "dpi"), side=2**31 - 1),
    "BMP": _Holds(kept=("dpi",), side=2**31 - 1),
    "AVIF": _Holds(),
    "PPM": _Holds(depths=("uint8", "uint16"), alpha=False, kept=(), side=999_999_999),
}
_CALLED = {"exif": "EXIF", "xmp": "XMP", "icc": "ICC profile", "iptc": "IPTC", "dpi": "DPI"}


def encode(
    layer: Tensor | Pixels, file: BinaryIO, *, like: Photo | None = None, format: str | None = None, quality: int = 95
) -> tuple[str, ...]:
    """Encode a layer into an open binary file, which need not be seekable; returns notes on what the format could not hold.

    ``layer``: (3, H, W) tensor 0…1, or an array (H, W, 1 or 3) in its final depth. ``like``: photo whose depth (of tensors),
    greyness, alpha and metadata are kept. ``format``: name or extension; by default that of ``like``, else PNG.
    ``quality``: 1…100, of JPEG, WebP (100 is lossless) and AVIF. Raises PhotoError, ShapeError, SettingError, UsageError.
    """
    if not 1 <= quality <= 100:
        raise SettingError(f"quality is {quality}; expected 1 to 100")
    format = target_format(like, format)
    check_format(like, format)
    pixels, alpha = _samples(layer, like)
    notes: list[str] = []
    pixels, alpha = _fit_depth(pixels, alpha, format, notes)
    if max(pixels.shape[:2]) > _HOLDS[format].side:
        raise PhotoError(f"{format} holds {_HOLDS[format].side} pixels a side at most; use --format png")
    kept = _fit_metadata(like.metadata if like else Metadata(), format, notes, grey=pixels.shape[2] == 1)
    try:
        with quiet():
            _ENCODERS[format](file, pixels, alpha, kept, quality)
    except OSError as fault:
        if fault.errno is not None:
            raise  # the disk, not the encoder
        raise PhotoError(f"cannot be encoded as {format} ({fault}); use --format png") from fault
    except (ValueError, struct.error, cv2.error) as fault:
        raise PhotoError(f"cannot be encoded as {format} ({fault}); use --format png") from fault
    return tuple(notes)


def target_format(like: Photo | None, format: str | None) -> str:
    """The format asked for, else that of the photo, else PNG; a GIF photo becomes PNG, as 256 colours do not suffice."""
    if format is not None:
        return canonical(format)
    return like.format if like is not None and like.format in WRITABLE else "PNG"


def check_format(photo: Photo | None, format: str) -> None:
    """Raise PhotoError when the photo's alpha would be lost in a format; cheap, so that it can be asked before the work."""
    if photo is not None and photo.alpha is not None and not _HOLDS[format].alpha:
        raise PhotoError(f"{photo.name}: {format} cannot hold its transparency; use --format png")


def holds_xmp(packet: bytes, format: str) -> bool:
    """Whether a format has room for such a packet."""
    return "xmp" in _HOLDS[format].kept and not (format == "JPEG" and len(packet) > _LARGEST_SEGMENT)


def _samples(layer: Tensor | Pixels, like: Photo | None) -> tuple[Pixels, Pixels | None]:
    if isinstance(layer, Tensor):
        pixels = quantise(layer, like.pixels.dtype if like else np.uint8, like is not None and like.grey)
    else:
        pixels = layer
    depths = _HOLDS["TIFF"].depths
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0 or pixels.dtype.name not in depths:
        raise ShapeError(f"expected an array (H, W, 1 or 3) in {', '.join(depths)}; got {pixels.shape} in {pixels.dtype}")
    alpha = like.alpha if like else None
    if alpha is not None and alpha.shape != pixels.shape[:2]:
        raise ShapeError(f"the layer is {pixels.shape[:2]} but the alpha of the photo {alpha.shape}; expected equal sizes")
    return pixels, alpha


def _fit_depth(pixels: Pixels, alpha: Pixels | None, format: str, notes: list[str]) -> tuple[Pixels, Pixels | None]:
    depths = _HOLDS[format].depths
    depth = pixels.dtype.name if pixels.dtype.name in depths else depths[-1]
    if depth != pixels.dtype.name:
        notes.append(f"{format} cannot hold {pixels.dtype.name}; rounded to {depth}")
    return change_depth(pixels, depth), None if alpha is None else change_depth(alpha, depth)


def _fit_metadata(metadata: Metadata, format: str, notes: list[str], *, grey: bool) -> Metadata:
    if metadata.dpi and not all(1 <= value <= _DENSEST for value in metadata.dpi):
        notes.append("DPI dropped, as no picture has so many or so few dots per inch")
        metadata = replace(metadata, dpi=None)
    for name, called in _CALLED.items():
        value = getattr(metadata, name)
        too_long = format == "JPEG" and name in ("exif", "xmp", "iptc") and value is not None and len(value) > _LARGEST_SEGMENT
        unfit = (name == "exif" and format == "TIFF" and value is not None and tiff_file.directories(value) is None) or (
            name == "icc" and format == "WEBP" and grey and value is not None and not icc.fits(value, grey=False)
        )
        if value is not None and (too_long or unfit or name not in _HOLDS[format].kept):
            notes.append(f"{format} cannot hold {'so much' if too_long else 'such an' if unfit else 'the'} {called}; dropped")
            metadata = replace(metadata, **{name: None})
    return metadata


def _image(pixels: Pixels, alpha: Pixels | None) -> Image.Image:
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)


def _jpeg(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata, quality: int) -> None:
    settings = {"exif": kept.exif and b"Exif\0\0" + kept.exif, "xmp": kept.xmp, "icc_profile": kept.icc, "dpi": kept.dpi}
    settings["extra"] = kept.iptc and iptc.segment(kept.iptc)
    given = {name: value for name, value in settings.items() if value}
    _image(pixels, alpha).save(file, "JPEG", quality=quality, subsampling=0, **given)


def _png(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata, quality: int) -> None:
    file.write(png_chunks.insert(_bare_png(pixels, alpha), kept))


def _bare_png(pixels: Pixels, alpha: Pixels | None) -> bytes:
    if pixels.dtype == np.uint8:
        buffer = BytesIO()
        _image(pixels, alpha).save(buffer, "PNG")
        return buffer.getvalue()
    if alpha is not None and pixels.shape[2] == 1:
        # No library at hand writes 16-bit grey with alpha. Its four bytes a pixel are filtered as those of 8-bit RGBA are,
        # so the two files differ in their headers alone.
        as_bytes = np.dstack([pixels, alpha]).astype(">u2").view(np.uint8)
        return png_chunks.relabel(_bare_png(as_bytes[..., :3], as_bytes[..., 3]), depth=16, colour=4)
    order = cv2.COLOR_RGBA2BGRA if alpha is not None else cv2.COLOR_RGB2BGR
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    done, content = cv2.imencode(".png", samples if samples.shape[2] == 1 else cv2.cvtColor(samples, order))
    if not done:
        raise ValueError("OpenCV refused")
    return content.tobytes()


def _webp(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata, quality: int) -> None:
    settings = {"exif": kept.exif, "xmp": kept.xmp, "icc_profile": kept.icc}
    given = {name: value for name, value in settings.items() if value}
    _image(pixels, alpha).save(file, "WEBP", quality=quality, lossless=quality == 100, exact=True, **given)


def _avif(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata, quality: int) -> None:
    # Pillow would write an EXIF block with an orientation anew, without the maker's notes; a stand-in of its length will not.
    stand_in = b"II*\0\x08\0\0\0" + bytes(6) + secrets.token_bytes(len(kept.exif) - 14) if kept.exif else None
    settings = {"exif": stand_in, "xmp": kept.xmp, "icc_profile": kept.icc}
    given: dict[str, Any] = {name: value for name, value in settings.items() if value}
    if alpha is not None:
        given |= {"codec": "aom", "advanced": {"alpha:lossless": "1"}}
    buffer, subsampling = BytesIO(), "4:0:0" if pixels.shape[2] == 1 else "4:4:4"
    _image(pixels, alpha).save(buffer, "AVIF", quality=quality, subsampling=subsampling, **given)
    content = buffer.getvalue()
    file.write(content.replace(stand_in, kept.exif, 1) if stand_in and kept.exif else content)


def _tiff(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata, quality: int) -> None:
    tiff_file.write(file, pixels, alpha, kept)


def _bmp(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata, quality: int) -> None:
    if alpha is None:
        _image(pixels, alpha).save(file, "BMP", **({"dpi": kept.dpi} if kept.dpi else {}))
        return
    # Pillow writes the 40-byte header, in which nobody looks for alpha; BITMAPV4HEADER states where it lies.
    height, width = alpha.shape
    rows = np.dstack([pixels[..., ::-1] if pixels.shape[2] == 3 else pixels.repeat(3, axis=2), alpha])[::-1]
    across, down = (round(value / _INCH) for value in kept.dpi or (96, 96))
    size = 14 + 108 + rows.nbytes
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, rows.nbytes, across, down, 0, 0)
    masks = struct.pack("<IIII4s", 0xFF0000, 0xFF00, 0xFF, 0xFF000000, b"BGRs") + bytes(48)
    file.write(struct.pack("<2sIII", b"BM", size, 0, 14 + 108) + header + masks + rows.tobytes())


def _ppm(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata, quality: int) -> None:
    height, width, channels = pixels.shape
    file.write(f"P{5 if channels == 1 else 6}\n{width} {height}\n{white(pixels.dtype)}\n".encode())
    file.write(pixels.astype(pixels.dtype.newbyteorder(">"), copy=False).tobytes())


_ENCODERS: Mapping[str, Callable[[BinaryIO, Pixels, Pixels | None, Metadata, int], None]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "TIFF": _tiff,
    "BMP": _bmp,
    "AVIF": _avif,
    "PPM": _ppm,
}
