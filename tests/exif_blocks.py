"""EXIF blocks laid out byte by byte in either byte order, sound ones and such as cameras and editors break."""

import struct
from collections.abc import Mapping

Field = tuple[int, int, int, int]
"""Tag, kind, count, and the value or its offset."""

ORIENTATION, CAMERA, PLACE, INTEROPERABILITY, MAKER = 0x0112, 0x8769, 0x8825, 0xA005, 0x927C
SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
FAR = 0x00FFFFFF
_START = 8


def directory(order: str, fields: list[Field], following: int = 0) -> bytes:
    """One directory; a single number of one or two bytes lies at the beginning of its value, as the order has it."""
    rows = [struct.pack(order + "HHI", tag, kind, count) + _value(order, kind, count, value) for tag, kind, count, value in fields]
    return struct.pack(order + "H", len(fields)) + b"".join(rows) + struct.pack(order + "I", following)


def _value(order: str, kind: int, count: int, value: int) -> bytes:
    small = {1: "B3x", SHORT: "H2x", 6: "b3x", 8: "h2x", 9: "i"}.get(kind) if count == 1 else None
    return struct.pack(order + (small or "I"), value)


def block(order: str, *parts: bytes) -> bytes:
    """A header and what follows it, the first directory first."""
    return {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, _START) + b"".join(parts)


def oriented(order: str, orientation: int, kind: int = SHORT) -> bytes:
    """The least that names an orientation."""
    return block(order, directory(order, [(ORIENTATION, kind, 1, orientation)]))


def damaged(order: str, orientation: int) -> Mapping[str, bytes]:
    """Blocks that name an orientation and are broken in another place: what is wrong → the block."""
    turn = (ORIENTATION, SHORT, 1, orientation)
    second = _START + 2 + 2 * 12 + 4  # behind a first directory of two fields

    def first(field: Field, following: int = 0, *rest: bytes) -> bytes:
        return block(order, directory(order, [turn, field], following), *rest)

    return {
        "no place": first((PLACE, LONG, 1, 0)),
        "camera past the end": first((CAMERA, LONG, 1, FAR)),
        "camera at the very end": first((CAMERA, LONG, 1, second)),
        "maker's note past the end": first((CAMERA, LONG, 1, second), 0, directory(order, [(MAKER, UNDEFINED, FAR, 60)])),
        "resolution past the end": first((0x011A, RATIONAL, 1, FAR)),
        "unknown kind": first((0xC000, 99, FAR, FAR)),
        "camera and place in one": block(
            order,
            directory(order, [turn, (CAMERA, LONG, 1, second + 12), (PLACE, LONG, 1, second + 12)]),
            directory(order, [(0x9000, UNDEFINED, 4, 0)]),
        ),
        "thumbnail past the end": first(
            (0x011C, SHORT, 1, 1), second, directory(order, [(0x0201, LONG, 1, second + 30), (0x0202, LONG, 1, FAR)]), bytes(12)
        ),
        "directory of the thumbnail past the end": first((0x011C, SHORT, 1, 1), FAR),
        "directory of the thumbnail is the first": first((0x011C, SHORT, 1, 1), _START),
        "cut off": first((CAMERA, LONG, 1, second))[:-10],
        "a count too large": block(order, struct.pack(order + "H", 60000) + directory(order, [turn])[2:]),
        "no link": block(order, directory(order, [turn])[:-4]),
    }


def hopeless(order: str, orientation: int) -> Mapping[str, bytes]:
    """Blocks that cannot travel on but name an orientation all the same."""
    turn = (ORIENTATION, SHORT, 1, orientation)
    size = 2 + 2 * 12 + 4
    chain = [directory(order, [turn, (CAMERA, LONG, 1, _START + (depth + 1) * size)]) for depth in range(1000)]
    fields = 40  # each directory begins twelve bytes behind the one before, so that nearly all of their fields are the same
    crowd = [(CAMERA, LONG, 1, _START + 2 + 12 * number) for number in range(fields)]
    return {
        "circle of one": block(order, directory(order, [turn, (CAMERA, LONG, 1, _START)])),
        "circle of two": block(
            order,
            directory(order, [turn, (CAMERA, LONG, 1, _START + size)]),
            directory(order, [(0x9000, UNDEFINED, 4, 0), (INTEROPERABILITY, LONG, 1, _START)]),
        ),
        "too deep": block(order, *chain),
        "overlapping": block(
            order, directory(order, [turn, *crowd]), struct.pack(order + "H", 65535) + struct.pack(order + "6H", *[500] * 6) * 80000
        ),
        "too large": oriented(order, orientation) + bytes(1 << 20),
    }
