"""Which photo formats there are, how they are spelled, and how the first bytes of a file tell them apart."""

import os
from collections.abc import Mapping
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
}
"""Format → its extensions, the usual one first; this is the allow-list, nothing else is ever handed to a decoder."""

WRITABLE = tuple(name for name in EXTENSIONS if name != "GIF")
"""Formats that can hold a result; GIF has 256 colours at most."""

SNIFFED = 64
"""Bytes of a file that ``sniff`` and ``describe`` need."""

_REFUSED = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript file"),
    (b"8BPS", "a Photoshop file"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 photo"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL photo"),
    (b"\xff\x0a", "a JPEG XL photo"),
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
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if head.startswith(b"BM") and len(head) > 14:
        return "BMP"
    if head[4:8] == b"ftyp" and any(brand in (b"avif", b"avis") for brand in _brands(head)):
        return "AVIF"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    return None


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
    if head[4:8] == b"ftyp":
        return "a HEIC photo" if any(brand[:3] in (b"hei", b"mif") for brand in _brands(head)) else "a video"
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

    Raises UnknownNameError for a name that is no format, UsageError for GIF, which cannot hold a result.
    """
    name = wanted.lower().lstrip(".")
    for format, extensions in EXTENSIONS.items():
        if name in extensions or name == format.lower():
            if format not in WRITABLE:
                raise UsageError(f"{format} holds 256 colours at most, too few for a photo; use --format png")
            return format
    raise UnknownNameError("format", wanted, [EXTENSIONS[format][0] for format in WRITABLE])


def format_of(path: str | os.PathLike[str]) -> str | None:
    """Format that the extension of a path promises, or None when it promises no photo."""
    extension = Path(path).suffix.lower().lstrip(".")
    return next((name for name, extensions in EXTENSIONS.items() if extension in extensions), None)


def _brands(head: bytes) -> list[bytes]:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
