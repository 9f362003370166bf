"""IPTC captions: a block of records as it is, or among the resources that Photoshop keeps with a photo."""

import struct

_MARK, _CODE, _RECORD = b"8BIM", 0x0404, b"\x1c"
_HEADING = b"Photoshop 3.0\0"


def records(content: bytes) -> bytes | None:
    """The records of a block that may be bare or wrapped in Photoshop's resources; None when it holds none."""
    content = content.removeprefix(_HEADING)
    if content.startswith(_RECORD):
        return content
    at = 0
    while content[at : at + 4] == _MARK and at + 12 <= len(content):
        (code,) = struct.unpack_from(">H", content, at + 4)
        name = 1 + content[at + 6]
        at += 6 + name + name % 2
        if at + 4 > len(content):
            return None
        (size,) = struct.unpack_from(">I", content, at)
        if code == _CODE:
            return content[at + 4 : at + 4 + size] or None
        at += 4 + size + size % 2
    return None


def segment(content: bytes) -> bytes:
    """Records as the segment APP13 of a JPEG."""
    resource = _MARK + struct.pack(">HHI", _CODE, 0, len(content)) + content + bytes(len(content) % 2)
    return b"\xff\xed" + struct.pack(">H", 2 + len(_HEADING) + len(resource)) + _HEADING + resource
