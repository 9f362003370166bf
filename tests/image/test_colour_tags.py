"""Colour tags that are no ICC profile become one, so that pixels mean in every output what they meant in the input."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from limpid.image import cicp
from limpid.image.read import read
from limpid.image.write import write
from photo_samples import ICC, encoded, picture, png, png_chunk, samples

P3, BT2020, SRGB, LINEAR, PQ, HLG = 12, 9, 13, 8, 16, 18
ADOBE = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
REC709 = (0.3127, 0.329, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
HELD = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")


def tag(primaries: int, transfer: int, full: int = 1) -> bytes:
    return png_chunk(b"cICP", bytes([primaries, transfer, 0, full]))


def gamma(exponent: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", round(exponent * 100000)))


def points(numbers: tuple[float, ...]) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(number * 100000) for number in numbers)))


def eight_bits(*chunks: bytes, mode: str = "RGB") -> bytes:
    data = encoded(picture(mode), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def seen(profile: bytes | None, colour: tuple[int, int, int]) -> np.ndarray:
    """What littleCMS makes of a colour: sRGB 0…255."""
    patch = Image.new("RGB", (1, 1), colour)
    if profile is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.profileToProfile(patch, source, ImageCms.createProfile("sRGB"), inPlace=True)
    return np.asarray(patch)[0, 0].astype(int)


def encoded_light(light: float) -> float:
    """The curve of sRGB, 0…255."""
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("value", [16, 64, 128, 200, 255])
def test_profiles_give_the_light_that_the_tags_say(value):
    grey = (value,) * 3
    light = {
        LINEAR: value / 255,
        SRGB: None,
        4: (value / 255) ** 2.2,
        1: ((value / 255 + 0.099) / 1.099) ** (1 / 0.45) if value > 21 else value / 255 / 4.5,
    }
    for transfer, wanted in light.items():
        profile = cicp.profile_of(P3, transfer, grey=False, notes=[])
        assert profile is not None
        expected = value if wanted is None else encoded_light(wanted)
        assert np.abs(seen(profile, grey) - expected).max() <= 1.5


def test_primaries_are_those_of_the_tag():
    wide = cicp.profile_of(P3, SRGB, grey=False, notes=[])
    # Display P3 holds sRGB's red at (234, 51, 35)
    assert np.abs(seen(wide, (234, 51, 35)) - (255, 0, 0)).max() <= 3
    assert np.abs(seen(cicp.profile(cicp.BT709, 2.2, grey=False), (255, 0, 0)) - (255, 0, 0)).max() <= 2


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    ("chunks", "kept"),
    [
        ((tag(P3, SRGB),), True),
        ((tag(P3, SRGB), gamma(1), points(REC709)), True),
        ((gamma(1 / 2.2), points(ADOBE)), True),
        ((points(ADOBE), gamma(1 / 2.2)), True),
        ((gamma(1.0),), True),
        ((points(ADOBE),), True),
        ((tag(1, SRGB),), False),
        ((tag(1, SRGB), gamma(1)), False),
        ((png_chunk(b"sRGB", b"\0"), gamma(1 / 2.2), points(REC709)), False),
        ((), False),
    ],
)
def test_tags_of_png_become_a_profile_unless_they_mean_srgb(chunks, kept, depth):
    data = png(samples("uint16"), *chunks) if depth == 16 else eight_bits(*chunks)
    found = read(data)
    assert (found.metadata.icc is not None) == kept
    assert found.notes == ()


def test_of_several_tags_the_first_of_the_specification_counts():
    icc = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(ICC))
    assert read(eight_bits(gamma(1), icc)).metadata.icc == ICC
    both = read(eight_bits(icc, tag(P3, SRGB))).metadata.icc
    assert both == read(eight_bits(tag(P3, SRGB))).metadata.icc != ICC


@pytest.mark.parametrize("format", HELD)
def test_a_profile_made_of_tags_reaches_every_format(format):
    found = read(eight_bits(tag(P3, SRGB)))
    file = io.BytesIO()
    assert write(found.pixels, file, like=found, format=format).notes == ()
    assert read(file.getvalue()).metadata.icc == found.metadata.icc


def test_grey_pixels_get_a_profile_of_one_channel():
    found = read(eight_bits(gamma(1.0), mode="L"))
    assert found.metadata.icc[16:20] == b"GRAY"
    file = io.BytesIO()
    write(found.pixels, file, like=found)
    assert read(file.getvalue()).metadata.icc == found.metadata.icc


@pytest.mark.parametrize(("transfer", "name"), [(PQ, "PQ"), (HLG, "HLG")])
@pytest.mark.parametrize("depth", [8, 16])
def test_hdr_is_noted_and_its_code_points_travel_on(transfer, name, depth):
    chunk = tag(BT2020, transfer)
    found = read(png(samples("uint16"), chunk) if depth == 16 else eight_bits(chunk))
    assert f"HDR photo ({name})" in found.notes[0]
    assert struct.pack(">4s4x4B", b"cicp", BT2020, transfer, 0, 1) in found.metadata.icc
    ImageCms.getOpenProfile(io.BytesIO(found.metadata.icc))


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        (tag(99, 13), "not known"),
        (tag(12, 99), "not known"),
        (tag(12, 13, 0), "narrow range"),
        (points((0.3, 0.3) + (0.4, 0.4) * 3), "span no colours"),
        (points((0.3, 0.0) + REC709[2:]), "span no colours"),
    ],
)
def test_tags_that_cannot_be_kept_are_noted(chunk, words):
    found = read(eight_bits(chunk))
    assert words in " ".join(found.notes)


@pytest.mark.parametrize(
    ("primaries", "transfer", "note"), [(P3, SRGB, ""), (BT2020, PQ, "PQ"), (BT2020, HLG, "HLG"), (1, SRGB, None)]
)
def test_code_points_of_an_avif_become_a_profile(primaries, transfer, note):
    data = encoded(picture(), "AVIF")
    at = data.index(b"nclx") + 4
    data = data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]
    found = read(data)
    assert (found.metadata.icc is None) == (note is None)
    assert (note or "") in " ".join(found.notes)
    assert found.metadata.icc == cicp.profile_of(primaries, transfer, grey=False, notes=[])


# ---------------------------------------------------------------- transparent grey


def grey(depth: int, key: int, extra: int = 0) -> bytes:
    """A grey PNG of three pixels, 0, a third and white, with one transparent value; ``extra`` bits above the depth do not count."""
    top = (1 << depth) - 1
    values = [0, top // 3, top]
    bits = "".join(f"{value:0{depth}b}" for value in values)
    row = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    parts = [
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 1, depth, 0, 0, 0, 0)),
        png_chunk(b"tRNS", struct.pack(">H", key | extra)),
        png_chunk(b"IDAT", zlib.compress(b"\0" + row)),
        png_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_transparent_grey_of_any_depth(depth, place):
    top = (1 << depth) - 1
    key = (0, top // 3, top)[place]
    clear = [value == key for value in (0, top // 3, top)]
    for extra in (0, 1 << depth if depth < 16 else 0):
        found = read(grey(depth, key, extra))
        white = 65535 if depth == 16 else 255
        assert found.alpha.tolist() == [[0 if one else white for one in clear]]
        assert found.pixels[..., 0].tolist() == [[0, top // 3 * white // top, white]]
        assert any("transparent colour" in note for note in found.notes)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_transparent_colour(depth):
    deep = samples("uint16")
    if depth == 16:
        data = png(deep, png_chunk(b"tRNS", struct.pack(">3H", *map(int, deep[0, 0]))))
    else:
        colour = np.asarray(picture())[0, 0]
        data = eight_bits(png_chunk(b"tRNS", struct.pack(">3H", *map(int, colour))))
    found = read(data)
    assert found.alpha[0, 0] == 0
    assert np.count_nonzero(found.alpha == 0) == 1
