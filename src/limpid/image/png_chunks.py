"""PNG files as their chunks: what the decoder needs, the metadata beside it, and repair of a file cut short.

Follows the PNG specification, third edition (W3C, 2025), sections 5 and 11.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from limpid.image.decoded import CutShortError
from limpid.image.photo import Metadata

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 29
"""Signature, and the length, name and content of IHDR."""

_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"
_LARGEST_PROFILE = 1 << 24
_PIECE, _LAST_FILTER = 1 << 10, 4
_INCH = 0.0254
# first column, first row, column step and row step of the seven passes of an interlaced picture
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True, kw_only=True)
class Header:
    """IHDR: size in pixels, bits per sample, colour type (0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA), interlacing."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool


def header(head: bytes) -> Header:
    """The header from the first ``HEADER_BYTES`` of a file; raises ValueError when it is none."""
    if len(head) < HEADER_BYTES or head[12:16] != b"IHDR":
        raise ValueError("its header is broken")
    width, height, depth, colour, _, _, interlacing = struct.unpack(">IIBBBBB", head[16:29])
    return Header(width=width, height=height, depth=depth, colour=colour, interlaced=bool(interlacing))


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk as a file holds it: length, name, content, checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def picture(data: bytes, *, fill: bool) -> bytes:
    """The file stripped to the chunks that make the picture, every checksum verified.

    With ``fill`` a file that is cut short or damaged is mended: what cannot be read becomes zero. Raises CutShortError.
    """
    parts = [SIGNATURE]
    for name, content, sound in _chunks(data):
        if name in _PICTURE and not sound:
            break
        if name in _PICTURE:
            parts.append(chunk(name, content))
        if name == b"IEND":
            return b"".join(parts)
    if not fill or len(parts) == 1:
        raise CutShortError(fillable=len(parts) > 1)
    return _filled(data)


def metadata(data: bytes) -> tuple[Metadata, bool]:
    """Metadata of a file, leaving out what is damaged, and whether the file is animated."""
    exif = xmp = icc = dpi = None
    animated = False
    for name, content, sound in _chunks(data):
        if not sound:
            continue
        if name == b"eXIf":
            exif = content
        elif name == b"iCCP":
            icc = _inflate(content.partition(b"\0")[2][1:])
        elif name == b"iTXt" and content.startswith(_XMP_KEYWORD):
            xmp = _text(content[len(_XMP_KEYWORD) :])
        elif name == b"pHYs" and len(content) == 9 and content[8] == 1:
            across, down = struct.unpack(">II", content[:8])
            dpi = (across * _INCH, down * _INCH) if across and down else None
        animated |= name == b"acTL"
    return Metadata(exif=exif, xmp=xmp, icc=icc, dpi=dpi), animated


def insert(data: bytes, kept: Metadata) -> bytes:
    """The file with the chunks of ``kept`` right behind its header, where the specification allows all of them."""
    end = HEADER_BYTES + 4  # the checksum of IHDR
    parts = [data[:end]]
    if kept.icc:
        parts.append(chunk(b"iCCP", b"profile\0\0" + zlib.compress(kept.icc)))
    if kept.dpi:
        parts.append(chunk(b"pHYs", struct.pack(">IIB", *(round(value / _INCH) for value in kept.dpi), 1)))
    if kept.exif:
        parts.append(chunk(b"eXIf", kept.exif))
    if kept.xmp:
        parts.append(chunk(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0" + kept.xmp))
    return b"".join([*parts, data[end:]])


def relabel(data: bytes, *, depth: int, colour: int) -> bytes:
    """The file with another depth and colour type in its header, for samples that are stored in the same bytes."""
    content = data[16:24] + bytes([depth, colour]) + data[26:29]
    return data[:8] + chunk(b"IHDR", content) + data[33:]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Name, content and soundness of each chunk; the last may be cut short, and is then not sound."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        checksum = data[at + 8 + length : at + 12 + length]
        yield name, content, checksum == struct.pack(">I", zlib.crc32(name + content))
        at += 12 + length


def _filled(data: bytes) -> bytes:
    rows = _rows(header(data))
    raw = _inflated(data, sum(count * size for count, size in rows))
    at = 0
    for count, size in rows:
        filters = raw[at : at + count * size : size]
        bad = next((row for row, kind in enumerate(filters) if kind > _LAST_FILTER), None)
        if bad is not None:  # from here on it is noise
            raw[at + bad * size :] = bytes(len(raw) - at - bad * size)
        at += count * size
    before = [chunk(name, content) for name, content, sound in _chunks(data) if sound and name in _PICTURE[:3]]
    return b"".join([SIGNATURE, *before, chunk(b"IDAT", zlib.compress(raw, 1)), chunk(b"IEND", b"")])


def _inflated(data: bytes, wanted: int) -> bytearray:
    """So many bytes of picture: what can be inflated up to the damage, then zeros."""
    stored = b"".join(content for name, content, _ in _chunks(data) if name == b"IDAT")
    inflater, raw = zlib.decompressobj(), bytearray()
    for at in range(0, len(stored), _PIECE):  # an error costs the piece it is found in
        try:
            raw += inflater.decompress(stored[at : at + _PIECE], wanted - len(raw))
        except zlib.error:
            break
        if inflater.eof or len(raw) >= wanted:
            break
    return raw + bytes(wanted - len(raw))


def _rows(head: Header) -> list[tuple[int, int]]:
    """Rows of each pass and the bytes of one before compression, led by the number of its filter."""
    bits = head.depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(head.colour, 1)
    rows = []
    for left, top, across, down in _PASSES if head.interlaced else ((0, 0, 1, 1),):
        columns, count = -(-(head.width - left) // across), -(-(head.height - top) // down)
        if columns > 0 and count > 0:
            rows.append((count, 1 + (columns * bits + 7) // 8))
    return rows


def _text(content: bytes) -> bytes | None:
    """The text of an iTXt chunk behind its keyword: two flags, language, translated keyword, text."""
    compressed = content[:1] == b"\1"
    parts = content[2:].split(b"\0", 2)
    if len(parts) < 3:
        return None
    return _inflate(parts[2]) if compressed else parts[2]


def _inflate(content: bytes) -> bytes | None:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(content, _LARGEST_PROFILE)
    except zlib.error:
        return None
    return text if inflater.eof else None
