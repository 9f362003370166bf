"""An EXIF block, mended in place: upright from now on, without its thumbnail, everything else byte for byte as found.

Parsing a block and writing it anew moves the maker's notes, whose inner offsets then point nowhere; patching does not.
The block is a small TIFF file: a header, then directories of 12-byte fields linked by offsets (CIPA DC-008, section 4.5).
"""

import re
import struct

LARGEST = 1 << 20
"""A block above this size (in bytes) counts as broken; cameras stay below 64 KiB."""

_SMALLEST = 14  # a header, an empty directory and its link
_PREFIX = b"Exif\0\0"
_ORIENTATION, _SUBDIRECTORIES = 0x0112, (0x8769, 0x8825, 0xA005)
_THUMBNAIL_AT, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


class BrokenExifError(ValueError):
    """The block is too large, cut off, or its directories run in a circle."""


def clean(raw: bytes) -> tuple[bytes, int]:
    r"""The block with orientation 1 and no thumbnail, and the orientation (1…8) that it had.

    ``raw``: with or without the leading ``Exif\0\0``; the result has none. Raises BrokenExifError.
    """
    block = bytearray(raw.removeprefix(_PREFIX))
    if not _SMALLEST <= len(block) <= LARGEST:
        raise BrokenExifError(f"{len(block)} bytes")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None:
        raise BrokenExifError("no TIFF header")
    try:
        return _mend(block, order)
    except (struct.error, IndexError) as fault:
        raise BrokenExifError("it is cut off") from fault


def upright_xmp(xmp: bytes) -> bytes:
    """An XMP packet whose orientation, where it names one, is 1; nothing else changes, not even its length."""
    return re.sub(rb'(tiff:Orientation\s*(?:=\s*["\']|>\s*))[2-8]', rb"\g<1>1", xmp)


def _mend(block: bytearray, order: str) -> tuple[bytes, int]:
    (first,) = struct.unpack_from(order + "I", block, 4)
    visited: set[int] = set()
    fields, end = _directory(block, order, first, visited)
    orientation = 1
    for tag, kind, at, value in fields:
        if tag == _ORIENTATION and kind == 3:
            (orientation,) = struct.unpack_from(order + "H", block, at)
            struct.pack_into(order + "H", block, at, 1)
        if tag in _SUBDIRECTORIES:
            _visit(block, order, value, visited)
    _drop_thumbnail(block, order, end, visited)
    return bytes(block), orientation if 1 <= orientation <= 8 else 1


def _directory(block: bytearray, order: str, at: int, visited: set[int]) -> tuple[list[tuple[int, int, int, int]], int]:
    """Fields (tag, kind, where the value lies, value or offset) of one directory, and where its link to the next lies."""
    if at in visited:
        raise BrokenExifError("its directories run in a circle")
    visited.add(at)
    (count,) = struct.unpack_from(order + "H", block, at)
    fields = []
    for place in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, items, value = struct.unpack_from(order + "HHII", block, place)
        size = _SIZES.get(kind, 1) * items
        if size > 4 and value + size > len(block):
            raise BrokenExifError(f"field {tag:#06x} reaches past the end")
        fields.append((tag, kind, place + 8, value))
    return fields, at + 2 + 12 * count


def _visit(block: bytearray, order: str, at: int, visited: set[int]) -> None:
    for tag, _, _, value in _directory(block, order, at, visited)[0]:
        if tag in _SUBDIRECTORIES:
            _visit(block, order, value, visited)


def _drop_thumbnail(block: bytearray, order: str, link: int, visited: set[int]) -> None:
    """Unlink the second directory and blank the small picture it points to, which shows the photo as it was."""
    if link + 4 > len(block):
        return  # some writers leave the last link out
    (second,) = struct.unpack_from(order + "I", block, link)
    struct.pack_into(order + "I", block, link, 0)
    if second == 0:
        return
    fields, _ = _directory(block, order, second, visited)
    values = {tag: value for tag, _, _, value in fields}
    start, length = values.get(_THUMBNAIL_AT, 0), values.get(_THUMBNAIL_LENGTH, 0)
    if start + length > len(block):
        raise BrokenExifError("its thumbnail reaches past the end")
    if start + length == len(block) and start > second:
        del block[start:]
    else:
        block[start : start + length] = bytes(length)
