"""The little of an AVIF or HEIC file that its decoder does not hand on: colour tags, depth, sizes, where its EXIF is named.

Boxes within boxes: a length, a name, content (ISO/IEC 14496-12, 23000-22 and AV1-ISOBMFF, section 2.3).
"""

import re
import struct
from collections.abc import Iterator

_PATH = (b"meta", b"iprp", b"ipco")
_EXIF_ITEM = re.compile(rb"(infe.{8,12})Exif", re.DOTALL)


def code_points(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer curve (ITU-T H.273) of the first colour box that holds some; None when there is none."""
    for name, content in _properties(data):
        if name == b"colr" and content[:4] == b"nclx" and len(content) >= 8:
            primaries, transfer = struct.unpack_from(">HH", content, 4)
            return primaries, transfer
    return None


def depth(data: bytes) -> int:
    """Bits per sample of the first AV1 configuration; 8 when there is none."""
    for name, content in _properties(data):
        if name == b"av1C" and len(content) > 2 and content[2] & 0x40:
            return 12 if content[2] & 0x20 else 10
    return 8


def sizes(data: bytes) -> list[tuple[int, int]]:
    """Width and height of every picture in the file as coded, before anything is cut off or turned."""
    return [struct.unpack_from(">II", content, 4) for name, content in _properties(data) if name == b"ispe" and len(content) >= 12]


def has_gain_map(data: bytes) -> bool:
    """Whether the file promises a tone-mapped picture made of a gain map beside its main one."""
    return b"tmap" in data[8 : min(int.from_bytes(data[:4], "big"), 256)]


def without_exif(data: bytes) -> bytes:
    """The file with its EXIF named something else, so that no decoder looks into it."""
    return _EXIF_ITEM.sub(rb"\g<1>free", data)


def _properties(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    content = data
    for wanted in _PATH:
        content = next((inner for name, inner in _boxes(content) if name == wanted), b"")
        content = content[4:] if wanted == b"meta" else content  # version and flags
    return _boxes(content)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        begin = at + 8
        if size == 1 and at + 16 <= len(data):
            (size,), begin = struct.unpack_from(">Q", data, at + 8), at + 16
        end = at + size if size else len(data)
        if end < begin:
            return
        yield name, data[begin:end]
        at = end
