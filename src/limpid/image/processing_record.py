"""What was done to a photo, noted in its XMP: one step after another, in a namespace of our own beside whatever stands there."""

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

NAMESPACE = "urn:limpid:record:1.0#"
"""Of ``limpid:Steps``, an ordered list of structures."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="' + _RDF.encode() + b'"></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
_STEPS_END = re.compile(rb"</([\w.-]+):Seq\s*>\s*</limpid:Steps\s*>")
_RDF_END = re.compile(rb"</[\w.-]+:RDF\s*>")
_ABOUT = re.compile(rb"\b[\w.-]+:about\s*=\s*(\"[^\"]*\"|'[^']*')")


def with_step(packet: bytes | None, facts: Mapping[str, str]) -> bytes | None:
    """The packet with one more step, name → text; everything else stays byte for byte as found. None for one that is no XMP.

    ``packet``: None for a photo that has none, which gets one.
    """
    packet = packet or _EMPTY
    fields = "".join(f"<limpid:{name}>{_text(value)}</limpid:{name}>" for name, value in facts.items())
    earlier = list(_STEPS_END.finditer(packet))
    if earlier:
        at, prefix = earlier[-1].start(), earlier[-1][1].decode()
        return _inserted(packet, at, f'<{prefix}:li {prefix}:parseType="Resource">{fields}</{prefix}:li>')
    end = list(_RDF_END.finditer(packet))
    if not end:
        return None
    about = _ABOUT.search(packet)
    subject = about[1].decode() if about else '""'  # all descriptions of a packet are of one thing
    begin = f'<rdf:Description xmlns:rdf="{_RDF}" xmlns:limpid="{NAMESPACE}" rdf:about={subject}>'
    steps = f'<limpid:Steps><rdf:Seq><rdf:li rdf:parseType="Resource">{fields}</rdf:li></rdf:Seq></limpid:Steps>'
    return _inserted(packet, end[-1].start(), f"{begin}{steps}</rdf:Description>")


def _inserted(packet: bytes, at: int, text: str) -> bytes:
    return packet[:at] + text.encode() + packet[at:]


def _text(value: str) -> str:
    return escape("".join(mark for mark in value if mark.isprintable()))
