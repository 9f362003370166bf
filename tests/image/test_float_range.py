"""Fractions of another scale than 0…1 are scaled by rule with a note, or refused; light is never clamped away in silence."""

import io

import numpy as np
import pytest
import tifffile

from limpid.errors import PhotoError
from limpid.image.read import read

SMOOTH = np.linspace(0, 1, 48 * 64 * 3, dtype=np.float32).reshape(48, 64, 3)


def tiff(samples: np.ndarray, **settings: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, samples, photometric="rgb", **settings)
    return file.getvalue()


@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "settings", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"planarconfig": "separate"}, {"tile": (16, 16)}]
)
def test_scales_of_whole_numbers_are_undone_with_a_note(top, dtype, settings):
    array = SMOOTH.astype(dtype) * top
    stored = np.moveaxis(array, -1, 0) if "planarconfig" in settings else array
    for source in (tiff(stored, **settings), array):
        found = read(source)
        assert np.abs(found.pixels - SMOOTH).max() < 1e-6
        assert f"taken as 0…{top}" in found.notes[0]


@pytest.mark.parametrize("part", [0.2, 0.7, 1.0])
@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("rounded", [False, True])
def test_the_scale_does_not_hang_on_how_bright_the_photo_is(part, top, rounded):
    array = SMOOTH * (part * top)
    array = array.round() if rounded else array
    if part * top < 256 < top:  # no photo of 16 bits is as dark
        return
    assert np.abs(read(tiff(array)).pixels - SMOOTH * part).max() < 0.51 / (top if rounded else 1e5) + 1e-6


def test_a_black_and_white_one_and_dark_whole_numbers():
    assert read(tiff((SMOOTH > 0.5).astype(np.float32))).pixels.max() == 1
    few = (SMOOTH * 3).round()
    assert np.abs(read(tiff(few)).pixels - few / 255).max() < 1e-6


def test_a_few_lights_above_one_are_clamped_with_a_note_as_ever():
    lights = SMOOTH.copy()
    lights[0, :3] = 1.7
    found = read(tiff(lights))
    assert found.notes == ("9 samples outside 0…1 clamped",)
    assert found.pixels[1:].tolist() == SMOOTH[1:].tolist()


@pytest.mark.parametrize("top", [1.6, 2.0, 4.0, 1e5, 1e30])
def test_any_other_range_is_refused(top):
    with pytest.raises(PhotoError, match="samples run from"):
        read(tiff(SMOOTH * np.float32(top)))
