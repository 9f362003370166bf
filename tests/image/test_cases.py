"""The small inputs of ../shared/cases that went wrong once, each with its right value; skipped where they are not."""

from pathlib import Path

import numpy as np
import pytest

from limpid.data import decode
from limpid.errors import PhotoError
from limpid.image.photo import Photo
from limpid.image.read import read, size

CASES = Path(__file__).parents[3] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")

TURNED = ("01-exif-broken-block-loses-orientation", "02-exif-orientation-long", "03-exif-double-prefix")
CLAIMS = (b"hdrgm:Version", b"GainMap", b"MotionPhoto", b"video", b"HasExtendedXMP")


def shown(place: str) -> Photo:
    found = read(CASES / place)
    assert size(CASES / place) == (found.height, found.width)
    return found


@pytest.mark.parametrize("folder", TURNED)
def test_orientation_survives(folder):
    photos = [path for path in (CASES / folder).iterdir() if path.suffix in (".jpg", ".png", ".webp")]
    assert photos
    for path in photos:
        found = shown(path)
        assert (found.height, found.width) == (24, 16), path.name
        assert found.metadata.exif, path.name
        assert decode.pixels(path).shape == (24, 16, 3)


@pytest.mark.parametrize("name", ["rawexif_text.png", "rawexif_ztxt.png", "xmp_orient6.png"])
def test_orientation_in_texts(name):
    found = shown(f"04-png-raw-profile-exif/{name}")
    assert (found.height, found.width) == (4, 2)
    assert found.metadata.exif or found.metadata.xmp


@pytest.mark.parametrize("name", ["grey2_trns", "grey4_trns", "grey16_trns"])
def test_transparent_grey(name):
    found = shown(f"05-png-grey-trns/{name}.png")
    assert np.unique(found.alpha[:, [1, 5]]).tolist() == [0]
    assert np.unique(np.delete(found.alpha, [1, 5], axis=1)).tolist() == [65535 if "16" in name else 255]


@pytest.mark.parametrize("name", ["cicp_p3.png", "cicp_pq.png", "gama22_chrm_adobe.png", "gama_linear.png", "p3.avif"])
def test_colour_tags(name):
    found = shown(f"06-colour-tags-lost/{name}")
    assert found.metadata.icc
    assert ("PQ" in " ".join(found.notes)) == (name == "cicp_pq.png")


@pytest.mark.parametrize("name", ["extxmp", "motion", "ultrahdr"])
def test_claims(name):
    found = shown(f"07-xmp-claims-what-is-gone/{name}.jpg")
    assert not any(claim in found.metadata.xmp for claim in CLAIMS)
    assert "XMP speaks no more of" in " ".join(found.notes)


def test_captions():
    assert shown("07-xmp-claims-what-is-gone/iptc.jpg").metadata.iptc


@pytest.mark.parametrize("name", ["source/a.tif", "source/b.tif"])
def test_size_of_a_turned_tiff(name):
    assert decode.size(CASES / "08-tiff-orientation-size" / name) == (300, 100)


def test_training_pixels():
    path = CASES / "09-training-pixels-rgba-tiff" / "rgba.tif"
    assert np.array_equal(decode.pixels(path), shown(path).pixels)


def test_raw_photos():
    with pytest.raises(PhotoError, match="raw photo"):
        read(CASES / "10-raw-thumbnail" / "dnglike.dng")
    for name in ("thumbfirst.tif", "thumbsub.tif"):
        assert shown(f"10-raw-thumbnail/{name}").pixels.shape == (192, 256, 3)


def test_range_of_fractions():
    found = shown("17-float-range/f32_255.tif")
    assert np.count_nonzero(found.pixels == 1) < 10
    assert "taken as 0…255" in found.notes[0]


def test_resolution():
    assert shown("19-jpeg-dpi-rotated/dpi_rot.jpg").metadata.dpi == pytest.approx((150, 72))


@pytest.mark.parametrize("name", ["r01-exif-quadratic/q.png", "r10-exif-deep/deep.png"])
def test_endless_directories(name):
    assert "broken EXIF dropped" in shown(name).notes[0]


def test_bombs():
    for door in (decode.pixels, decode.size):
        with pytest.raises(PhotoError, match="megapixels"):
            door(CASES / "r08-data-bomb" / "bomb.png")
