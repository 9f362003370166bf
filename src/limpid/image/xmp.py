"""An XMP packet: which way up its photo was stored, and the packet mended for an output that holds the picture alone.

Cameras note in XMP what else lies in their files: a gain map, a film, a second packet. The output has none of it, and a program
that believes the note looks for it in vain. What is false is cut out; everything else stays byte for byte as found.
"""

import re
from collections.abc import Mapping
from xml.parsers import expat

_TIFF = "http://ns.adobe.com/tiff/1.0/"
_GOOGLE = "http://ns.google.com/photos/1.0/"

_CLAIMS: Mapping[str, tuple[str, str]] = {
    "http://ns.adobe.com/hdr-gain-map/1.0/": ("", "a gain map"),
    "http://ns.apple.com/HDRGainMap/1.0/": ("", "a gain map"),
    "http://ns.apple.com/pixeldatainfo/1.0/": ("", "a gain map"),
    f"{_GOOGLE}camera/": ("MotionPhoto|MicroVideo", "a film"),
    f"{_GOOGLE}container/": ("Directory", "further pictures"),
    "http://ns.adobe.com/xmp/note/": ("HasExtendedXMP", "a second packet"),
    "http://ns.adobe.com/xap/1.0/": ("Thumbnails$", "a thumbnail"),
}
"""Namespace → beginning of the names in it that claim something, as a pattern, and what they claim."""

_OF_THE_SECOND_PACKET: Mapping[str, tuple[str, str]] = {
    f"{_GOOGLE}{kind}/": ("", "a second packet") for kind in ("depthmap", "image", "audio")
}
"""These describe what the second packet holds; without one, their data lies in the packet itself."""

_HINTS = re.compile(
    rb"hdr-gain-map/|HDRGainMap/|pixeldatainfo/|MotionPhoto|MicroVideo|google\.com/photos/1\.0/container/|HasExtendedXMP|Thumbnails"
)
_START = re.compile(rb"<[^\"'>]*(?:\"[^\"]*\"[^\"'>]*|'[^']*'[^\"'>]*)*>")


def orientation_of(packet: bytes) -> int | None:
    """The orientation, 1…8, that a packet names as ``tiff:Orientation``; None when it names none."""
    found = _oriented(packet).search(packet)
    return int(found[2]) if found else None


def upright(packet: bytes) -> bytes:
    """The packet with orientation 1 where it names one; nothing else changes, not even its length."""
    return _oriented(packet).sub(rb"\g<1>1", packet)


def without_claims(packet: bytes) -> tuple[bytes | None, tuple[str, ...]]:
    """The packet without what the output no longer has, and in words what that is, sorted.

    None for a packet that claims something and is no XML, so that nothing can be cut out of it.
    """
    if not _HINTS.search(packet.replace(b"\0", b"")):  # some write it in UTF-16, which no photo may hold
        return packet, ()
    claims = dict(_CLAIMS)
    if b"HasExtendedXMP" in packet:
        claims |= _OF_THE_SECOND_PACKET
    try:
        cuts = _Cuts(packet.rstrip(b"\0"), claims)
    except (expat.ExpatError, ValueError):
        return None, ("what cannot be told",)
    parts, at = [], 0
    for begin, end in sorted(cuts.found):
        parts.append(packet[at:begin])
        at = max(at, end)
    return b"".join([*parts, packet[at:]]), tuple(sorted(cuts.kinds))


def _oriented(packet: bytes) -> re.Pattern[bytes]:
    """What precedes an orientation in a packet, as an attribute or an element, and its digit."""
    bound = re.findall(rb"xmlns:([\w.-]+)\s*=\s*[\"']" + re.escape(_TIFF.encode()) + rb"[\"']", packet)
    prefixes = b"|".join(sorted({re.escape(prefix) for prefix in bound} | {b"tiff"}))
    return re.compile(rb"(\b(?:" + prefixes + rb"):Orientation\s*(?:=\s*[\"']|>\s*))([1-8])(?=\s*[\"'<])")


class _Cuts:
    """Which bytes of a packet claim what is gone: ``found`` as (begin, end), ``kinds`` in words."""

    def __init__(self, packet: bytes, claims: Mapping[str, tuple[str, str]]) -> None:
        self.packet, self.claims = packet, claims
        self.found: list[tuple[int, int]] = []
        self.kinds: set[str] = set()
        self._depth, self._begin = 0, 0  # inside of an element that goes: how deep, and where it began
        self._parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
        self._parser.namespace_prefixes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.Parse(packet, True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        if self._depth or self._claimed(name):
            self._begin = self._begin if self._depth else at
            self._depth += 1
            return
        for attribute in filter(self._claimed, attributes):
            _, local, prefix = attribute.split(" ")
            written = re.escape(f"{prefix}:{local}".encode())
            found = re.search(rb"\s+" + written + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", self._tag(at))
            if found:
                self.found.append((at + found.start(), at + found.end()))

    def _end(self, name: str) -> None:
        if not self._depth:
            return
        self._depth -= 1
        if not self._depth:
            at = self._parser.CurrentByteIndex
            self.found.append((self._begin, at + len(self._tag(at))))

    def _tag(self, at: int) -> bytes:
        found = _START.match(self.packet, at)
        if found is None:
            raise ValueError("no tag where the parser saw one")
        return found[0]

    def _claimed(self, name: str) -> bool:
        namespace, _, local = name.partition(" ")
        if namespace not in self.claims:
            return False
        pattern, kind = self.claims[namespace]
        claimed = re.match(pattern, local.partition(" ")[0]) is not None
        if claimed:
            self.kinds.add(kind)
        return claimed


def _refuse(*_: object) -> None:
    raise ValueError("a document type has no place in XMP")
