"""An EXIF block: which way up its photo was stored, and the block mended in place for the photo turned upright.

Parsing a block and writing it anew moves the maker's notes, whose inner offsets then point nowhere; patching does not. The
block is a small TIFF file: a header, then directories of 12-byte fields linked by offsets (CIPA DC-008, section 4.5). A fault in
one part of it costs that part at most, and never the orientation.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

LARGEST = 1 << 20
"""A block above this size (in bytes) counts as broken; cameras stay below 64 KiB."""

_FIELDS, _DEEPEST = 4096, 8  # in all directories, and of directories below each other; cameras write some hundred, and three
_HEADER = re.compile(rb"(?:II(?:\*\0|\0\*)|MM(?:\0\*|\*\0)).{4}", re.DOTALL)
_AHEAD = 64  # before the header: "Exif\0\0", once or, by some editors, twice; an offset in HEIF
_ORIENTATION, _SUBDIRECTORIES = 0x0112, (0x8769, 0x8825, 0xA005)
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_SIDES = ((0x0100, 0x0101), (0x011A, 0x011B), (0xA002, 0xA003), (0xA20E, 0xA20F))
"""Fields that go by width and height: size and resolution of the picture, both as the camera saw them, and of its focal plane."""
_THUMBNAILS = ((0x0201, 0x0202), (0x0111, 0x0117))
"""Where a small picture starts and how long it is: a JPEG, or bare samples."""


class BrokenExifError(ValueError):
    """The block is too large or no EXIF at all, or its directories are too many or run in a circle."""


@dataclass(frozen=True)
class _Field:
    tag: int
    kind: int
    entry: int  # where its 12 bytes lie
    at: int  # where its value lies
    size: int  # bytes of the value
    value: int  # the value, or the offset of a large one


@dataclass(frozen=True)
class _Directory:
    at: int
    fields: Sequence[_Field]
    whole: bool  # whether the block holds as many fields as it promises
    link: int | None  # where the offset of the next directory lies; None when the block ends before


def orientation_of(raw: bytes) -> int | None:
    """The orientation, 1…8, that a block names; None when it names none. Whatever else is broken in it does not matter."""
    opened = _opened(raw)
    directory = _directory(*opened, _first(*opened)) if opened else None
    if opened is None or directory is None:
        return None
    values = [_integer(*opened, field) for field in directory.fields if field.tag == _ORIENTATION]
    return next((value for value in values if value is not None and 1 <= value <= 8), None)


def upright(raw: bytes, orientation: int) -> tuple[bytes, tuple[str, ...]]:
    r"""The block of a photo that was turned from ``orientation`` to 1, without thumbnail, and what is damaged but kept as found.

    ``raw``: with or without a leading ``Exif\0\0``; the result has none. Width and height change places where the photo was
    turned on its side. Raises BrokenExifError for a block that must not travel on.
    """
    if len(raw) > LARGEST:
        raise BrokenExifError(f"{len(raw)} bytes")
    opened = _opened(raw)
    if opened is None:
        raise BrokenExifError("no TIFF header")
    block, order = opened
    faults: list[str] = []
    directories = _walk(block, order, faults)
    for field in directories[0].fields if directories else ():
        if field.tag == _ORIENTATION and field.kind in _INTEGERS and field.at + field.size <= len(block):
            struct.pack_into(order + _INTEGERS[field.kind], block, field.at, 1)
    if orientation >= 5:
        for directory in directories:
            _swap_sides(block, directory)
    if directories:
        _drop_thumbnail(block, order, directories, faults)
    return bytes(block), tuple(faults)


def _opened(raw: bytes) -> tuple[bytearray, str] | None:
    """The block from its header on, and its byte order as ``struct`` writes it; None when there is no header."""
    header = _HEADER.search(raw[: _AHEAD + 8])
    return None if header is None else (bytearray(raw[header.start() :]), "<" if header[0].startswith(b"I") else ">")


def _first(block: bytearray, order: str) -> int:
    return int(struct.unpack_from(order + "I", block, 4)[0])


def _walk(block: bytearray, order: str, faults: list[str]) -> list[_Directory]:
    """The first directory and those of camera, place and interoperability below it, each once.

    Raises BrokenExifError when they run in a circle or hold too many fields; ``faults`` gains what is wrong otherwise.
    """
    found: list[_Directory] = []
    waiting = [(_first(block, order), frozenset[int]())]  # offset, and those of the directories above
    visited: set[int] = set()
    left = _FIELDS
    while waiting:
        at, above = waiting.pop(0)
        if at in above or len(above) == _DEEPEST:
            raise BrokenExifError("its directories run in a circle" if at in above else "its directories lie too deep")
        if at in visited:
            continue
        visited.add(at)
        directory = _directory(block, order, at)
        if directory is None:
            faults.append("a directory lies outside of it")
            continue
        left -= len(directory.fields)
        if left < 0:
            raise BrokenExifError(f"more than {_FIELDS} fields")
        faults += _faults(block, directory)
        found.append(directory)
        waiting += [(field.value, above | {at}) for field in directory.fields if field.tag in _SUBDIRECTORIES]
    return found if found and found[0].at == _first(block, order) else []


def _directory(block: bytearray, order: str, at: int) -> _Directory | None:
    """One directory, as far as it lies in the block; None when it does not begin there."""
    if at < 8 or at + 2 > len(block):
        return None
    (count,) = struct.unpack_from(order + "H", block, at)
    begin, end = at + 2, at + 2 + 12 * count
    whole = end <= len(block)
    held = min(count, (len(block) - begin) // 12, _FIELDS + 1)  # one more than is allowed, which _walk refuses
    rows = struct.iter_unpack(order + "HHII", block[begin : begin + 12 * held])
    fields = [_field(begin + 12 * index, *row) for index, row in enumerate(rows)]
    if not whole:  # what follows the last true field is other data
        fields = list(takewhile(lambda field: field.kind in _SIZES, fields))
    return _Directory(at, fields, whole, end if end + 4 <= len(block) else None)


def _field(entry: int, tag: int, kind: int, count: int, value: int) -> _Field:
    size = _SIZES.get(kind, 1) * count
    return _Field(tag, kind, entry, value if size > 4 else entry + 8, size, value)


def _faults(block: bytearray, directory: _Directory) -> Iterator[str]:
    if not directory.whole:
        yield "a directory is cut off"
    yield from (f"field {field.tag:#06x} reaches past the end" for field in directory.fields if field.at + field.size > len(block))


def _integer(block: bytearray, order: str, field: _Field) -> int | None:
    if field.kind not in _INTEGERS or not field.size or field.at + field.size > len(block):
        return None
    return int(struct.unpack_from(order + _INTEGERS[field.kind], block, field.at)[0])


def _swap_sides(block: bytearray, directory: _Directory) -> None:
    """Let the fields of width and height change places: all of them but their tags."""
    entries = {field.tag: field.entry for field in directory.fields}
    for across, down in _SIDES:
        if across in entries and down in entries:
            one, other = (slice(entries[tag] + 2, entries[tag] + 12) for tag in (across, down))
            block[one], block[other] = block[other], block[one]


def _drop_thumbnail(block: bytearray, order: str, directories: Sequence[_Directory], faults: list[str]) -> None:
    """Unlink the second directory and blank the small picture it points to, which shows the photo as it was."""
    link = directories[0].link
    if link is None:
        return  # some writers leave the last link out
    (second,) = struct.unpack_from(order + "I", block, link)
    struct.pack_into(order + "I", block, link, 0)
    directory = _directory(block, order, second) if second else None
    if directory is None or second in {one.at for one in directories}:
        faults += ["the directory of its thumbnail lies outside of it or in another"] if second else []
        return
    fields = {field.tag: field for field in directory.fields}
    for start, length in _THUMBNAILS:
        if start in fields and length in fields:
            begin, count = (_integer(block, order, fields[tag]) or 0 for tag in (start, length))
            if not 0 <= begin <= begin + count <= len(block):
                faults.append("its thumbnail reaches past the end")
            _blank(block, max(begin, 0), min(begin + max(count, 0), len(block)), directories)


def _blank(block: bytearray, begin: int, end: int, directories: Sequence[_Directory]) -> None:
    """Zero what lies between, or cut it off at the end of the block, sparing directories and values of their fields."""
    used = [(one.at, one.at + 6 + 12 * len(one.fields)) for one in directories]
    used += [(field.at, field.at + field.size) for one in directories for field in one.fields if field.size > 4]
    used = sorted((start, stop) for start, stop in used if start < end and stop > begin)
    if end == len(block) and not used and begin > 8:
        del block[begin:]
        return
    for start, stop in [*used, (end, end)]:
        if start > begin:
            block[begin:start] = bytes(start - begin)
        begin = max(begin, stop)
