"""PNG files as their chunks: what the decoder needs, the metadata beside it, and repair of a file cut short.

Follows the PNG specification, third edition (W3C, 2025), sections 5 and 11.
"""

import re
import struct
import zlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from io import SEEK_CUR, BytesIO
from typing import BinaryIO

from limpid.image import cicp, iptc
from limpid.image.decoded import CutShortError, Described
from limpid.image.photo import Metadata

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 29
"""Signature, and the length, name and content of IHDR."""

ANIMATED = "first frame of an animation"
"""What is noted of a file with further frames."""

_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_TEXTS, _COLOURS = (b"tEXt", b"zTXt", b"iTXt"), (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
_DESCRIBING = (*_TEXTS, *_COLOURS, b"eXIf", b"pHYs")
_XMP_KEYWORD, _XMP_HEADING = b"XML:com.adobe.xmp", b"http://ns.adobe.com/xap/1.0/\0"
_RAW_KEYWORD = b"Raw profile type "
_RAW_PROFILE = re.compile(rb"\s*[^\n]*\n\s*\d+\s*\n([0-9a-fA-F\s]*)")
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


def picture(data: bytes, *, fill: bool) -> tuple[bytes, tuple[int, ...] | None]:
    """The file stripped to the chunks that make the picture, every checksum verified, and the colour that is transparent.

    That colour has one or three values in the depth of the file; None where there is none, or a palette has it. With ``fill`` a
    file that is cut short or damaged is mended: what cannot be read becomes zero. Raises CutShortError.
    """
    parts, key = [SIGNATURE], None
    for name, content, sound in _chunks(BytesIO(data)):
        if name in _PICTURE and not sound:
            break
        if name == b"tRNS" and (values := _key(header(data), content)):
            key = values
        elif name in _PICTURE:
            parts.append(chunk(name, content))
        if name == b"IEND":
            return b"".join(parts), key
    if not fill or len(parts) == 1:
        raise CutShortError(fillable=len(parts) > 1)
    return _filled(data), key


def metadata(file: BinaryIO) -> Described:
    """What a file says of its photo, leaving out what is damaged; its picture is skipped, wherever the texts lie."""
    kept, texts, colour = Described(), dict[bytes, bytes | None](), dict[bytes, bytes]()
    grey = header(file.read(HEADER_BYTES)).colour in (0, 4)
    for name, content, sound in _chunks(file, skipped=(b"IDAT", b"fdAT")):
        if not sound:
            kept.notes += [f"damaged chunk {name.decode()} left out"] if name in _DESCRIBING else []
        elif name in _TEXTS:
            keyword, text = _text(name, content)
            texts.setdefault(keyword, text)
        elif name == b"eXIf":
            kept.exif = content
        elif name in _COLOURS:
            colour.setdefault(name, content)
        elif name == b"pHYs" and len(content) == 9 and content[8] == 1:
            across, down = struct.unpack(">II", content[:8])
            kept.dpi = (across * _INCH, down * _INCH) if across and down else None
        elif name == b"acTL":
            kept.notes.append(ANIMATED)
    kept.xmp = texts.get(_XMP_KEYWORD)
    _take_raw_profiles(kept, texts)
    kept.icc = _profile(colour, kept, grey=grey)
    return kept


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
        parts.append(chunk(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0\0" + kept.xmp))
    return b"".join([*parts, data[end:]])


def relabel(data: bytes, *, depth: int, colour: int) -> bytes:
    """The file with another depth and colour type in its header, for samples that are stored in the same bytes."""
    content = data[16:24] + bytes([depth, colour]) + data[26:29]
    return data[:8] + chunk(b"IHDR", content) + data[33:]


def _chunks(file: BinaryIO, skipped: Container[bytes] = ()) -> Iterator[tuple[bytes, bytes, bool]]:
    """Name, content and soundness of each chunk; the last may be cut short, and is then not sound. Those ``skipped`` are empty."""
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name in skipped:
            file.seek(length + 4, SEEK_CUR)
            yield name, b"", False
            continue
        content, checksum = file.read(length), file.read(4)
        yield name, content, checksum == struct.pack(">I", zlib.crc32(name + content))


def _key(head: Header, content: bytes) -> tuple[int, ...] | None:
    """The values of tRNS for grey and RGB, of which only the bits of the depth count."""
    count = {0: 1, 2: 3}.get(head.colour)
    if count is None or len(content) != 2 * count:
        return None
    return tuple(value & ((1 << head.depth) - 1) for value in struct.unpack(f">{count}H", content))


def _take_raw_profiles(kept: Described, texts: Mapping[bytes, bytes | None]) -> None:
    """What ImageMagick wrote as hexadecimal text before PNG had a chunk for it."""
    for keyword, text in texts.items():
        kind = keyword.removeprefix(_RAW_KEYWORD).lower()
        found = _RAW_PROFILE.match(text) if text and kind != keyword.lower() else None
        if found is None:
            continue
        digits = b"".join(found[1].split())
        content = bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
        if kind == b"xmp" or content.startswith(_XMP_HEADING):
            kept.xmp = kept.xmp or content.removeprefix(_XMP_HEADING)
        elif kind in (b"exif", b"app1"):
            kept.exif = kept.exif or content
        elif kind in (b"iptc", b"8bim"):
            kept.iptc = kept.iptc or iptc.records(content)
        elif kind in (b"icc", b"icm"):
            kept.icc = content


def _profile(colour: Mapping[bytes, bytes], kept: Described, *, grey: bool) -> bytes | None:
    """The colours that the pixels are encoded in: the first of cICP, iCCP, sRGB, and gAMA with cHRM counts (section 4.3)."""
    cicp_tag, gamma, points = (colour.get(name, b"") for name in (b"cICP", b"gAMA", b"cHRM"))
    if len(cicp_tag) == 4:
        if not cicp_tag[3]:
            kept.notes.append("its samples are of narrow range (16…235) and stay so, but no tag says it any more")
        return cicp.profile_of(cicp_tag[0], cicp_tag[1], grey=grey, notes=kept.notes)
    if b"iCCP" in colour:
        icc = _inflate(colour[b"iCCP"].partition(b"\0")[2][1:])
        kept.notes += ["ICC profile dropped, as it is broken"] if icc is None else []
        return icc
    if kept.icc or b"sRGB" in colour or not (len(gamma) == 4 or len(points) == 32):
        return kept.icc
    exponent = struct.unpack(">I", gamma)[0] / 100000 if len(gamma) == 4 else 0.0
    numbers = [number / 100000 for number in struct.unpack(">8I", points)] if len(points) == 32 else []
    white, red, green, blue = ((numbers[at], numbers[at + 1]) for at in range(0, 8, 2)) if numbers else (None,) * 4
    colours = cicp.Primaries(red, green, blue, white) if red and green and blue and white else cicp.BT709
    profile = cicp.profile(colours, 1 / exponent if exponent > 1e-3 else cicp.SRGB, grey=grey)
    kept.notes += ["chromaticities dropped, as they span no colours"] if profile is None else []
    return profile


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
    keyed = (b"IHDR", b"PLTE", b"tRNS") if header(data).colour == 3 else (b"IHDR",)
    before = [chunk(name, content) for name, content, sound in _chunks(BytesIO(data)) if sound and name in keyed]
    return b"".join([SIGNATURE, *before, chunk(b"IDAT", zlib.compress(raw, 1)), chunk(b"IEND", b"")])


def _inflated(data: bytes, wanted: int) -> bytearray:
    """So many bytes of picture: what can be inflated up to the damage, then zeros."""
    stored = b"".join(content for name, content, _ in _chunks(BytesIO(data)) if name == b"IDAT")
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


def _text(name: bytes, content: bytes) -> tuple[bytes, bytes | None]:
    """Keyword and text of a chunk, None when it cannot be inflated; iTXt has two flags, language and translation between them."""
    keyword, _, rest = content.partition(b"\0")
    if name == b"tEXt":
        return keyword, rest
    if name == b"zTXt":
        return keyword, _inflate(rest[1:])
    parts = rest[2:].split(b"\0", 2)
    if len(parts) < 3:
        return keyword, None
    return keyword, _inflate(parts[2]) if rest[:1] == b"\1" else parts[2]


def _inflate(content: bytes) -> bytes | None:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(content, _LARGEST_PROFILE)
    except zlib.error:
        return None
    return text if inflater.eof else None
