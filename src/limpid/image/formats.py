"""Which photo formats there are, how they are spelled, and how the first bytes of a file tell them apart."""

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from limpid.errors import UnknownNameError, UsageError
from limpid.files import open_file

EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
    "PNG": ("png", "apng"),
    "WEBP": ("webp",),
    "TIFF": ("tif", "tiff"),
    "BMP": ("bmp", "dib"),
    "AVIF": ("avif",),
    "GIF": ("gif",),
    "PPM": ("ppm", "pgm", "pbm", "pnm"),
    "HEIF": ("heic", "heif", "hif"),
}
"""Format → its extensions, the usual one first; this is the allow-list, nothing else is ever handed to a decoder."""

READ = "JPEG, PNG, WebP, TIFF, BMP, AVIF, GIF or PPM"
"""What is read without an extra, in words."""

WRITABLE = tuple(name for name in EXTENSIONS if name not in ("GIF", "HEIF"))
"""Formats that can hold a result; GIF has 256 colours at most, and nothing here encodes HEIF."""

_UNREAD: Mapping[str, tuple[str, ...]] = {
    "raw": (
        *("dng", "nef", "nrw", "cr2", "cr3", "crw", "arw", "srf", "sr2", "orf", "rw2", "raf", "pef", "srw", "3fr", "fff", "iiq"),
        *("mos", "mrw", "erf", "dcr", "kdc", "mef", "rwl", "x3f"),
    ),
    "JPEG XL": ("jxl",),
    "JPEG 2000": ("jp2", "j2k", "jpf", "jpx", "j2c"),
    "Photoshop": ("psd", "psb"),
    "OpenEXR": ("exr",),
    "Radiance HDR": ("hdr",),
    "Targa": ("tga",),
    "PCX": ("pcx",),
    "SVG": ("svg",),
}
"""Kind of photo that is not read here → its extensions."""

SNIFFED = 64
"""Bytes of a file that ``sniff`` and ``describe`` need."""

_RAW = "a raw photo, which has to be developed first"
_REFUSED = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript file"),
    (b"8BPS", "a Photoshop file"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 photo"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL photo"),
    (b"\xff\x0a", "a JPEG XL photo"),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIU\0", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"MMOR", _RAW),
    (b"FOVb", _RAW),
    (b"\0MRM", _RAW),
    (b"II\x1a\0\0\0HEAPCCDR", _RAW),
    (b"v/1\x01", "an OpenEXR file"),
    (b"#?RADIANCE", "a Radiance HDR file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
)


def sniff(head: bytes) -> str | None:
    """Format of a photo from its first ``SNIFFED`` bytes, or None for anything outside the allow-list."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and not _is_marked_raw(head):
        return "TIFF"
    if head.startswith(b"BM") and len(head) > 14:
        return "BMP"
    if head[4:8] == b"ftyp":
        brands = _brands(head)
        if any(brand in (b"avif", b"avis") for brand in brands):
            return "AVIF"
        return "HEIF" if any(brand[:3] in (b"hei", b"hev", b"mif", b"msf") for brand in brands) else None
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if re.match(rb"P[1-6](?:\s|#)", head):
        return "PPM"
    return None


def is_read(format: str) -> bool:
    """Whether a format of the allow-list can be read on this machine; HEIF needs its extra."""
    return format != "HEIF" or find_spec("pi_heif") is not None


def sniff_file(path: Path) -> str | None:
    """Format of the photo in a file, or None when it is none of ours or cannot be opened."""
    try:
        with open_file(path) as file:
            return sniff(file.read(SNIFFED))
    except OSError:
        return None


def describe(head: bytes) -> str:
    """What bytes that ``sniff`` does not know seem to be, in words for a message."""
    if not head:
        return "not an image (0 bytes)"
    for magic, words in _REFUSED:
        if head.startswith(magic):
            return words
    if _is_marked_raw(head):
        return _RAW
    if head[4:8] == b"ftyp":
        kind = "a HEIC photo" if sniff(head) == "HEIF" else "a video"
        return _RAW if b"crx " in _brands(head) else kind
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")):
        return "an SVG or XML file"
    if text.startswith((b"<!doctype", b"<html", b"<head")):
        return "not an image but a web page"
    if all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        return "not an image but text"
    return "not an image of a known kind"


def canonical(wanted: str) -> str:
    """Format that a result is to be written in, from its name or extension in any case (``jpg``, ``.TIF``, ``WebP``).

    Raises UnknownNameError for a name that is no format, UsageError for GIF and HEIF, which cannot hold a result.
    """
    name = wanted.lower().lstrip(".")
    for format, extensions in EXTENSIONS.items():
        if name in extensions or name == format.lower():
            if format not in WRITABLE:
                why = "holds 256 colours at most, too few for a photo" if format == "GIF" else "is read but not written"
                raise UsageError(f"{name}: {format} {why}; use --format png")
            return format
    raise UnknownNameError("format", wanted, [EXTENSIONS[format][0] for format in WRITABLE])


def format_of(path: str | os.PathLike[str]) -> str | None:
    """Format that the extension of a path promises, or None when it promises no photo."""
    extension = Path(path).suffix.lower().lstrip(".")
    return next((name for name, extensions in EXTENSIONS.items() if extension in extensions), None)


def is_photo(path: Path) -> bool:
    """Whether a name is that of a photo that can be read here: a known extension, not hidden."""
    format = format_of(path)
    return format is not None and is_read(format) and not path.name.startswith(".")


def unread_kind(path: Path) -> str | None:
    """What kind of photo a file is by its name, if it is one that cannot be read here: ``HEIC``, ``raw``; None for all others."""
    if path.name.startswith("."):
        return None
    if format_of(path) == "HEIF":
        return None if is_read("HEIF") else "HEIC"
    extension = path.suffix.lower().lstrip(".")
    return next((kind for kind, extensions in _UNREAD.items() if extension in extensions), None)


def _is_marked_raw(head: bytes) -> bool:
    """Canon's CR2 and Phase One's IIQ call themselves TIFF and say what they are behind that."""
    return head[8:10] == b"CR" or head[8:12] in (b"IIII", b"MMMM")


def _brands(head: bytes) -> list[bytes]:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
