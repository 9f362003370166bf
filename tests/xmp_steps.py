"""What a photo's XMP says was done to it."""

from xml.etree import ElementTree

from limpid.image.processing_record import NAMESPACE

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def steps(packet: bytes) -> list[dict[str, str | None]]:
    """The steps of a packet, each name → text."""
    tree = ElementTree.fromstring(packet.decode().strip("\0 "))
    found = tree.findall(f".//{{{NAMESPACE}}}Steps/{{{RDF}}}Seq/{{{RDF}}}li")
    return [{field.tag.removeprefix(f"{{{NAMESPACE}}}"): field.text for field in step} for step in found]
