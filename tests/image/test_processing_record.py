"""What was done to a photo stands in its XMP, beside what stood there, which stays byte for byte."""

import pytest

from limpid.image.encode import holds_xmp
from limpid.image.processing_record import with_step
from xmp_steps import RDF, steps

HEAD = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about='
DUBLIN = 'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="Ä &lt;b>"'


def test_a_photo_without_xmp_gets_a_packet():
    packet = with_step(None, {"Software": "limpid 1", "Settings": "a<b & c\n"})
    assert steps(packet) == [{"Software": "limpid 1", "Settings": "a<b & c"}]
    assert packet.startswith(b"<?xpacket begin=")
    assert packet.endswith(b'<?xpacket end="w"?>')


@pytest.mark.parametrize("about", ['""', '"uuid:1"', "''"])
def test_what_stood_there_stays_and_is_of_the_same_thing(about):
    before = (HEAD + f"{about} {DUBLIN}/></rdf:RDF></x:xmpmeta>   ").encode()
    packet = with_step(before, {"Layer": "reflection"})
    assert steps(packet) == [{"Layer": "reflection"}]
    at = packet.index(b"<rdf:Description xmlns:rdf")
    added = packet[at : packet.index(b"</rdf:Description>", at) + len(b"</rdf:Description>")]
    assert packet.replace(added, b"") == before
    assert f"rdf:about={about}".encode() in added


def test_steps_follow_each_other():
    packet = None
    for layer in ("transmission", "restored", "albedo"):
        packet = with_step(packet, {"Layer": layer})
    assert [step["Layer"] for step in steps(packet)] == ["transmission", "restored", "albedo"]


def test_what_is_no_xmp_is_left_alone():
    assert with_step(b"<not XML", {"Layer": "x"}) is None
    assert with_step((HEAD + '""/></rdf:RDF></x:xmpmeta>').encode("utf-16"), {"Layer": "x"}) is None


ROOM = [("JPEG", 60_000, True), ("JPEG", 66_000, False), ("PNG", 66_000, True), ("BMP", 9, False)]


@pytest.mark.parametrize(("format", "size", "fits"), ROOM)
def test_formats_say_what_they_have_room_for(format, size, fits):
    assert holds_xmp(bytes(size), format) == fits
