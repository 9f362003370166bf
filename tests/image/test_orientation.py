"""Which way up a photo was stored is found wherever it is written, whatever else is broken beside it."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from exif_blocks import CAMERA, LONG, ORIENTATION, block, damaged, directory, hopeless, oriented
from limpid.image import exif, xmp
from limpid.image.photo import Photo
from limpid.image.read import read, size
from limpid.image.write import write
from photo_samples import UPRIGHT, encoded, picture, png_chunk

KINDS = {"BYTE": 1, "SHORT": 3, "LONG": 4, "SBYTE": 6, "SSHORT": 8, "SLONG": 9}
PREFIXES = (b"", b"Exif\0\0", b"Exif\0\0Exif\0\0", b"\0\0\0\6Exif\0\0")
ORDERS = ("<", ">")
FAULTS = list(damaged("<", 6))
HOPELESS = list(hopeless("<", 6))
HELD = ("JPEG", "PNG", "WEBP")
UP = np.asarray(picture())


def on_its_side(format: str, content: bytes) -> bytes:
    """A file that holds the picture as a camera turned to orientation 6 stores it, and an EXIF block."""
    stored = picture().transpose(UPRIGHT[6])
    if format == "JPEG" and len(content) > 65000:
        return encoded(stored, format, extra=segments(content), quality=95, subsampling=0)
    settings = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    return encoded(stored, format, exif=content, **settings)


def segments(content: bytes) -> bytes:
    """A block that is too long for one segment, as readers put it together again."""
    parts = [b"Exif\0\0" + content[at : at + 65000] for at in range(0, len(content), 65000)]
    return b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts)


def assert_upright(found: Photo, data: bytes) -> None:
    assert size(data) == (found.height, found.width) == UP.shape[:2]
    assert np.abs(found.pixels.astype(int) - UP).mean() < 3
    assert found.metadata.exif is None or exif.orientation_of(found.metadata.exif) in (None, 1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_orientation_of_any_integer_kind_and_behind_any_prefix_is_read_and_reset(order, prefix, kind):
    for orientation in range(1, 9):
        content = prefix + oriented(order, orientation, kind)
        assert exif.orientation_of(content) == orientation
        assert exif.upright(content, orientation) == (oriented(order, 1, kind), ())


def test_of_two_orientations_the_first_that_makes_sense_counts():
    content = block("<", directory("<", [(ORIENTATION, 3, 1, 0), (ORIENTATION, LONG, 1, 8), (ORIENTATION, 3, 1, 3)]))
    assert exif.orientation_of(content) == 8
    assert exif.orientation_of(exif.upright(content, 8)[0]) == 1
    assert exif.orientation_of(oriented(">", 9)) is None


@pytest.mark.parametrize("format", HELD)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_elsewhere_in_exif_costs_neither_orientation_nor_the_block(fault, order, format):
    content = damaged(order, 6)[fault]
    found = read(data := on_its_side(format, content))
    assert_upright(found, data)
    assert found.metadata.exif is not None
    again = BytesIO()
    write(found.pixels, again, like=found)
    assert read(again.getvalue()).pixels.shape == UP.shape


@pytest.mark.parametrize("format", HELD)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fault", HOPELESS)
def test_a_block_that_cannot_travel_on_is_dropped_with_a_note_and_the_photo_turned(fault, order, format):
    found = read(data := on_its_side(format, hopeless(order, 6)[fault]))
    assert_upright(found, data)
    assert found.metadata.exif is None
    assert "broken EXIF dropped" in found.notes[0]


def test_no_directory_is_visited_twice_and_no_more_fields_are_looked_at_than_allowed(monkeypatch):
    looked_at: list[int] = []
    field_of = exif._field
    monkeypatch.setattr(exif, "_field", lambda entry, *row: looked_at.append(entry) or field_of(entry, *row))
    for content in hopeless("<", 6).values():
        looked_at.clear()
        with pytest.raises(exif.BrokenExifError):
            exif.upright(content, 6)
        assert len(looked_at) <= 2 * exif._FIELDS + 1


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fault", [*FAULTS, *HOPELESS])
def test_an_avif_is_turned_by_its_boxes_whatever_its_exif_says(fault, order):
    content = (damaged(order, 1) | hopeless(order, 1))[fault]
    stand_in = b"II*\0\x08\0\0\0" + bytes(6) + np.random.default_rng(0).bytes(len(content) - 14)  # names no orientation
    data = encoded(picture(), "AVIF", exif=stand_in, quality=95, subsampling="4:4:4")
    assert stand_in in data
    assert_upright(read(data := data.replace(stand_in, content)), data)


# ---------------------------------------------------------------- PNG texts and XMP


def text_chunk(name: bytes, keyword: bytes, text: bytes) -> bytes:
    if name == b"tEXt":
        return png_chunk(name, keyword + b"\0" + text)
    if name == b"zTXt":
        return png_chunk(name, keyword + b"\0\0" + zlib.compress(text))
    return png_chunk(name, keyword + b"\0\1\0\0\0" + zlib.compress(text))


def with_chunk(data: bytes, chunk: bytes, *, behind: bool) -> bytes:
    at = data.index(b"IEND") - 4 if behind else 33
    return data[:at] + chunk + data[at:]


def hexadecimal(kind: bytes, content: bytes, width: int = 72) -> bytes:
    """What ImageMagick writes: kind, length, and lines of digits."""
    digits = content.hex()
    lines = "\n".join(digits[at : at + width] for at in range(0, len(digits), width))
    return b"\n" + kind + f"\n{len(content):8d}\n{lines}\n".encode()


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize(("kind", "prefix"), [(b"exif", b"Exif\0\0"), (b"exif", b""), (b"APP1", b"Exif\0\0")])
def test_exif_in_a_text_of_a_png_counts(kind, prefix, name, behind):
    text = hexadecimal(kind, prefix + oriented(">", 6))
    data = encoded(picture().transpose(UPRIGHT[6]), "PNG")
    data = with_chunk(data, text_chunk(name, b"Raw profile type " + kind, text), behind=behind)
    found = read(data)
    assert_upright(found, data)
    assert found.metadata.exif == oriented(">", 1)


PACKETS = {
    "attribute": b'<r:Description xmlns:tiff="%s" tiff:Orientation="6"/>',
    "single quotes": b"<r:Description xmlns:tiff='%s' tiff:Orientation = '6' />",
    "element": b'<r:Description xmlns:tiff="%s"><tiff:Orientation>6</tiff:Orientation></r:Description>',
    "another prefix": b'<r:Description xmlns:t="%s" t:Orientation="6"/>',
}


def packet(kind: str) -> bytes:
    return PACKETS[kind] % b"http://ns.adobe.com/tiff/1.0/"


@pytest.mark.parametrize("kind", PACKETS)
@pytest.mark.parametrize("format", [*HELD, "TIFF"])
def test_an_orientation_in_xmp_alone_counts_and_is_reset(kind, format):
    stored = picture().transpose(UPRIGHT[6])
    if format == "PNG":
        chunk = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet(kind))
        data = with_chunk(encoded(stored, "PNG"), chunk, behind=True)
    elif format == "TIFF":
        data = encoded(stored, format, tiffinfo={700: packet(kind)})
    else:
        settings = {"quality": 95, "subsampling": 0} if format == "JPEG" else {"lossless": True}
        data = encoded(stored, format, xmp=packet(kind), **settings)
    found = read(data)
    assert_upright(found, data)
    assert found.metadata.xmp == packet(kind).replace(b"6", b"1")


def test_exif_is_believed_before_xmp_and_nothing_else_named_orientation_counts():
    data = encoded(picture(), "JPEG", exif=oriented("<", 1), xmp=packet("attribute"), quality=95, subsampling=0)
    assert_upright(read(data), data)
    assert xmp.orientation_of(b'<a xmlns:crs="x" crs:Orientation="6" tiff:Orientation="9"/>') is None


# ---------------------------------------------------------------- TIFF and resolution


def tiff(order: str, kind: int = 3, *camera: int) -> bytes:
    """A TIFF in either byte order whose orientation 6 is of any kind, and where it says the data of the camera lie."""
    stored = np.asarray(picture().transpose(UPRIGHT[6]))
    height, width, _ = stored.shape
    at = 8 + 2 + (9 + len(camera)) * 12 + 4
    fields = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, at), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, at + 6)]
    fields += [(ORIENTATION, kind, 1, 6), (277, 3, 1, 3), (279, 4, 1, stored.size), *((CAMERA, LONG, 1, place) for place in camera)]
    return block(order, directory(order, fields), struct.pack(order + "3H", 8, 8, 8), stored.tobytes())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_tiff_is_turned_by_an_orientation_of_any_kind(order, kind):
    assert_upright(read(data := tiff(order, kind)), data)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("camera", [0, 1, 8, 100, 1 << 30])
def test_a_tiff_whose_camera_data_are_broken_is_turned_and_read(order, camera):
    found = read(data := tiff(order, 3, camera))
    assert_upright(found, data)
    assert "EXIF" in " ".join(found.notes)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fault", ["too deep", "overlapping"])
def test_a_tiff_whose_camera_data_never_end_is_turned_and_read(order, fault):
    begin = len(tiff(order, 3, 0))
    maze = hopeless(order, 1)[fault][8:]
    assert_upright(read(data := tiff(order, 3, begin) + maze), data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_resolution_turns_with_the_picture(format, orientation):
    stored = picture().transpose(UPRIGHT[orientation]) if orientation > 1 else picture()
    settings = {"tiffinfo": {ORIENTATION: orientation}} if format == "TIFF" else {"exif": oriented("<", orientation)}
    data = encoded(stored, format, dpi=(72, 150), **({} if format == "BMP" else settings))
    found = read(data)
    across, down = found.metadata.dpi
    turned = orientation >= 5 and format != "BMP"
    assert (round(across), round(down)) == ((150, 72) if turned else (72, 150))
    again = BytesIO()
    write(found.pixels, again, like=found)
    assert tuple(map(round, Image.open(again).info["dpi"])) == (round(across), round(down))


def test_resolution_within_exif_turns_as_well():
    order, at = "<", 8 + 2 + 3 * 12 + 4
    fields = [(ORIENTATION, 3, 1, 6), (0x011A, 5, 1, at), (0x011B, 5, 1, at + 8)]
    content = block(order, directory(order, fields), struct.pack("<4I", 72, 1, 150, 1))
    turned = Image.Exif()
    turned.load(exif.upright(content, 6)[0])
    assert (turned[0x011A], turned[0x011B]) == (150, 72)
