"""Metadata claim nothing that the output does not hold: no gain map, film or second packet; captions stay or are noted."""

import io
import struct

import pytest
from PIL import Image

from limpid.image import iptc, xmp
from limpid.image.read import read
from limpid.image.write import write
from photo_samples import encoded, picture, png_chunk

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
HEAD = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""'
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"
GAIN, CAMERA = "http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.google.com/photos/1.0/camera/"
CONTAINER, NOTE = "http://ns.google.com/photos/1.0/container/", "http://ns.adobe.com/xmp/note/"
APPLE = "http://ns.apple.com/HDRGainMap/1.0/"
KEPT = 'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="Ä &lt;b> &#233;"'
DIRECTORY = "<Container:Directory><rdf:Seq><rdf:li><Container:Item Item:Mime='video/mp4'/></rdf:li></rdf:Seq></Container:Directory>"

PACKETS = {
    "gain map in attributes": (f' xmlns:hdrgm="{GAIN}" hdrgm:Version="1.0" {KEPT}>', "a gain map"),
    "gain map in elements": (f' xmlns:g="{GAIN}" {KEPT}><g:Version>1.0</g:Version><g:Gamma><rdf:Seq/></g:Gamma>', "a gain map"),
    "Apple's": (f" xmlns:a='{APPLE}' a:HDRGainMapVersion='65536' {KEPT}>", "a gain map"),
    "motion photo": (f' xmlns:GCamera="{CAMERA}" GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1" {KEPT}>', "a film"),
    "older motion photo": (f' xmlns:c="{CAMERA}" c:MicroVideo="1" c:MicroVideoOffset="12" {KEPT}>', "a film"),
    "second packet": (f' xmlns:xmpNote="{NOTE}" xmpNote:HasExtendedXMP="0123456789ABCDEF" {KEPT}>', "a second packet"),
    "container": (f' xmlns:Container="{CONTAINER}" xmlns:Item="{CONTAINER}item/" {KEPT}>{DIRECTORY}', "further pictures"),
}
FALSE = ("hdrgm:Version", "g:Gamma", "HDRGainMapVersion", "MotionPhoto", "MicroVideo", "HasExtendedXMP", "Container:Item")


def packet(kind: str) -> bytes:
    return (HEAD + PACKETS[kind][0] + TAIL).encode()


def with_packet(format: str, content: bytes) -> bytes:
    if format == "PNG":
        data = encoded(picture(), "PNG")
        return data[:33] + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + content) + data[33:]
    return encoded(picture(), format, **({"tiffinfo": {700: content}} if format == "TIFF" else {"xmp": content}))


@pytest.mark.parametrize("kind", PACKETS)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_claim_is_cut_out_of_xmp_with_a_note_and_the_rest_stays(kind, format):
    found = read(with_packet(format, packet(kind)))
    assert PACKETS[kind][1] in " ".join(found.notes)
    kept = found.metadata.xmp
    assert not any(words.encode() in kept for words in FALSE)
    assert KEPT.encode() in kept
    assert xmp.without_claims(kept) == (kept, ())  # it is still XML, and claims nothing
    file = io.BytesIO()
    write(found.pixels, file, like=found)
    assert read(file.getvalue()).metadata.xmp == kept


def test_xmp_that_claims_nothing_stays_byte_for_byte():
    content = (HEAD + f" {KEPT}>" + TAIL).encode()
    assert xmp.without_claims(content) == (content, ())
    not_xml = b"<not XML & proud of it"
    assert xmp.without_claims(not_xml) == (not_xml, ())


@pytest.mark.parametrize(
    "content",
    [
        packet("gain map in attributes")[:-30],
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + packet("gain map in attributes"),
        packet("gain map in attributes").decode().encode("utf-16"),
    ],
    ids=["cut short", "document type", "UTF-16"],
)
def test_a_claim_in_what_cannot_be_mended_costs_the_packet(content):
    mended, gone = xmp.without_claims(content)
    assert gone
    assert mended is None or b"hdrgm" not in mended.replace(b"\0", b"")


def test_a_second_packet_of_a_jpeg_is_gone_with_its_claim():
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", 10, 0) + b"<x></x>   "
    segment = b"\xff\xe1" + struct.pack(">H", len(extended) + 2) + extended
    found = read(encoded(picture(), "JPEG", xmp=packet("second packet"), extra=segment))
    assert b"HasExtendedXMP" not in found.metadata.xmp
    assert "a second packet" in found.notes[0]


# ---------------------------------------------------------------- captions

RECORDS = b"\x1c\x02\x78\x00\x07caption\x1c\x02\x74\x00\x09copyright"


def resources(*, name: bytes = b"", before: bool = False) -> bytes:
    """Photoshop's resources with captions among them."""
    titled = bytes([len(name)]) + name + bytes((len(name) + 1) % 2)
    first = b"8BIM" + struct.pack(">H", 0x03ED) + b"\0\0" + struct.pack(">I", 3) + b"abc\0"
    mine = b"8BIM" + struct.pack(">H", 0x0404) + titled + struct.pack(">I", len(RECORDS)) + RECORDS + bytes(len(RECORDS) % 2)
    return (first if before else b"") + mine


@pytest.mark.parametrize("name", [b"", b"a", b"ab"])
@pytest.mark.parametrize("before", [False, True])
def test_captions_are_found_among_resources(name, before):
    content = resources(name=name, before=before)
    assert iptc.records(content) == iptc.records(b"Photoshop 3.0\0" + content) == RECORDS
    assert iptc.records(RECORDS) == RECORDS
    for end in range(len(content) - len(RECORDS) - 1):
        assert iptc.records(content[:end]) is None


def captioned(format: str) -> bytes:
    if format == "JPEG":
        return encoded(picture(), "JPEG", extra=iptc.segment(RECORDS))
    if format == "PNG":
        text = b"\niptc\n" + f"{len(RECORDS):8d}\n{RECORDS.hex()}\n".encode()
        data = encoded(picture(), "PNG")
        return data[:33] + png_chunk(b"tEXt", b"Raw profile type iptc\0" + text) + data[33:]
    code = {"TIFF": 33723, "TIFF of Photoshop": 34377}[format]
    return encoded(picture(), "TIFF", tiffinfo={code: RECORDS if code == 33723 else resources()})


@pytest.mark.parametrize("source", ["JPEG", "PNG", "TIFF", "TIFF of Photoshop"])
@pytest.mark.parametrize("target", ["JPEG", "TIFF", "PNG", "WEBP", "AVIF", "BMP"])
def test_captions_stay_or_their_loss_is_noted(source, target):
    found = read(captioned(source))
    assert found.metadata.iptc == RECORDS
    file = io.BytesIO()
    notes = write(found.pixels, file, like=found, format=target).notes
    if target in ("JPEG", "TIFF"):
        assert read(file.getvalue()).metadata.iptc == RECORDS
    else:
        assert f"{target} cannot hold the IPTC; dropped" in notes


def test_further_pictures_of_a_jpeg_are_noted():
    file = io.BytesIO()
    picture().save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert "further pictures" in read(file.getvalue()).notes[0]
