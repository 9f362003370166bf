"""PPM, PGM and PBM in text and in bytes, of any depth, and what is wrong with them."""

import io

import numpy as np
import pytest

from limpid.errors import PhotoError
from limpid.image.read import read, size
from limpid.image.write import write
from photo_samples import samples


def netpbm(kind: int, array: np.ndarray, top: int, comment: str = "") -> bytes:
    """A file of one of the six kinds of (H, W, C) values 0…top."""
    height, width, _ = array.shape
    head = f"P{kind}{comment}\n{width} {height}\n" + ("" if kind in (1, 4) else f"{top}\n")
    if kind < 4:
        return (head + " ".join(map(str, array.ravel()))).encode()
    if kind == 4:
        return head.encode() + np.packbits(array[..., 0].astype(bool), axis=1).tobytes()
    return head.encode() + array.astype(np.uint8 if top < 256 else ">u2").tobytes()


@pytest.mark.parametrize("kind", [2, 3, 5, 6])
@pytest.mark.parametrize("top", [1, 15, 100, 255, 256, 1023, 4095, 65535])
def test_values_of_any_depth(kind, top):
    values = np.random.default_rng(0).integers(0, top + 1, (5, 7, 3 if kind in (3, 6) else 1))
    for comment in ("", " # made by hand\n#again"):
        data = netpbm(kind, values, top, comment)
        found = read(data)
        white = 255 if top < 256 else 65535
        assert found.format == "PPM"
        assert found.pixels.dtype == (np.uint8 if top < 256 else np.uint16)
        assert np.abs(found.pixels - values * (white / top)).max() <= 0.5
        assert size(data) == (5, 7)


@pytest.mark.parametrize("kind", [1, 4])
@pytest.mark.parametrize("width", [1, 7, 8, 9, 20])
def test_bits_of_which_one_is_black(kind, width):
    bits = np.random.default_rng(0).integers(0, 2, (3, width, 1))
    assert np.array_equal(read(netpbm(kind, bits, 1)).pixels, 255 * (1 - bits))


def test_bits_in_text_need_no_space():
    assert read(b"P1 3 1 101").pixels.ravel().tolist() == [0, 255, 0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_is_read_again(dtype, channels):
    file = io.BytesIO()
    pixels = samples(dtype, channels=channels)
    assert write(pixels, file, format="ppm").notes == ()
    assert np.array_equal(read(file.getvalue()).pixels, pixels)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"P6 4 4 255 " + bytes(47), "cut short"),
        (b"P4 9 2\n" + bytes(3), "cut short"),
        (b"P3 2 1 255 1 2 3 4 5", "cut short"),
        (b"P1 3 1 10", "cut short"),
        (b"P1 3 1 102", "neither 0 nor 1"),
        (b"P6 4 4 0 " + bytes(48), "largest value"),
        (b"P6 4 4 70000 " + bytes(96), "largest value"),
        (b"P5 1 1 100 \xff", "beyond"),
        (b"P2 1 1 100 -3", "beyond"),
        (b"P2 1 1 100 x", "cut short|cannot be read"),
        (b"P6 four 4 255 ", "header is broken"),
        (b"P6 0 4 255 ", "at least one"),
        (b"P6 #" + b"x" * 5000, "header is broken"),
        (b"P6 100000 100000 255\n", "megapixels"),
        (b"P7\nWIDTH 4\n", "not an image"),
        (b"PF\n4 4\n-1.0\n" + bytes(192), "not an image"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(data, words):
    with pytest.raises(PhotoError, match=words) as caught:
        read(data)
    assert "\n" not in str(caught.value)
