"""What writing promises: everything the format can hold comes back, nothing is half-written, nothing is overwritten unasked."""

import errno
import hashlib
import io
import os

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from limpid.errors import PhotoError, SettingError, ShapeError, UnknownNameError, UsageError
from limpid.image import encode as encode_module
from limpid.image.encode import check_format, encode
from limpid.image.photo import Photo
from limpid.image.read import read
from limpid.image.write import write
from photo_samples import FORMATS, ICC, UPRIGHT, XMP, encoded, exif, photo, picture, samples

EXTENSION = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif", "BMP": "bmp", "AVIF": "avif"}
DESCRIBED = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")


def through(source: Photo, format: str, quality: int = 95) -> Photo:
    buffer = io.BytesIO()
    encode(source.tensor(), buffer, like=source, format=format, quality=quality)
    return read(buffer.getvalue())


# ---------------------------------------------------------------- pixels


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("format", "dtype"),
    [
        ("PNG", "uint8"),
        ("PNG", "uint16"),
        ("TIFF", "uint8"),
        ("TIFF", "uint16"),
        ("TIFF", "float32"),
        ("BMP", "uint8"),
        ("WEBP", "uint8"),
    ],
)
def test_lossless_formats_give_back_every_bit(format, dtype, channels, alpha):
    source = photo(dtype, channels=channels, alpha=alpha)
    result = through(source, format, quality=100)
    grey_kept = format in ("PNG", "TIFF") or (format == "BMP" and not alpha)
    expected = source.pixels if grey_kept else np.broadcast_to(source.pixels, (17, 23, 3))
    if format == "WEBP":  # lossless means lossless
        expected = np.broadcast_to(source.pixels, (17, 23, 3))
    assert result.pixels.dtype == dtype
    assert np.array_equal(result.pixels, expected)
    assert np.array_equal(result.alpha, source.alpha) if alpha else result.alpha is None


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_stay_close_and_grey(format):
    for mode in ("RGB", "L"):
        source = read(picture(mode))
        result = through(source, format)
        assert torch.abs(result.tensor() - source.tensor()).max() < 12 / 255
        assert torch.abs(result.tensor() - source.tensor()).mean() < 2 / 255
        assert result.grey == (mode == "L" and format != "WEBP")
        if mode == "L":
            assert np.ptp(result.pixels.astype(int), axis=2).max() <= 2


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 5), (65, 64)])
def test_odd_sizes(format, size):
    source = Photo(pixels=samples("uint8", *size))
    assert through(source, format).pixels.shape == (*size, 3)


@pytest.mark.parametrize("format", ["WEBP", "AVIF"])
@pytest.mark.parametrize("quality", [30, 95])
def test_alpha_is_exact_in_lossy_formats(format, quality):
    source = photo(alpha=True)
    assert np.array_equal(through(source, format, quality).alpha, source.alpha)


def test_deep_files_are_read_alike_by_tifffile_and_pillow(tmp_path):
    for dtype in ("uint16", "float32"):
        source = photo(dtype, alpha=True)
        path = write(source.tensor(), tmp_path / f"{dtype}.tif", like=source).path
        assert np.array_equal(tifffile.imread(path), np.dstack([source.pixels, source.alpha]))
    source = photo("uint16", channels=1)
    path = write(source.tensor(), tmp_path / "grey.png", like=source).path
    with Image.open(path) as image:
        assert image.mode == "I;16"
        assert np.array_equal(np.asarray(image), source.pixels[..., 0])
    source = photo("uint16", channels=1, alpha=True)
    with Image.open(write(source.tensor(), tmp_path / "la.png", like=source).path) as image:
        assert np.array_equal(np.asarray(image)[..., -1], source.alpha >> 8)
    large = photo("uint8")
    large = Photo(pixels=samples("uint8", 700, 900), alpha=None, metadata=large.metadata)  # several strips
    with Image.open(write(large.tensor(), tmp_path / "large.tif", like=large).path) as image:
        assert np.array_equal(np.asarray(image), large.pixels)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "BMP", "AVIF"])
def test_depth_that_does_not_fit_is_rounded_and_said(format):
    source = photo("uint16", described=False)
    notes = encode(source.tensor(), io.BytesIO(), like=source, format=format)
    assert notes == (f"{format} cannot hold uint16; rounded to uint8",)
    notes = encode(photo("float32").tensor(), buffer := io.BytesIO(), like=photo("float32", alpha=True), format="png")
    assert notes == ("PNG cannot hold float32; rounded to uint16",)
    assert read(buffer.getvalue()).alpha.dtype == np.uint16


def test_alpha_and_jpeg():
    source = photo(alpha=True)
    with pytest.raises(PhotoError, match="--format png"):
        encode(source.tensor(), io.BytesIO(), like=source, format="jpg")
    with pytest.raises(PhotoError, match="--format png"):
        check_format(source, "JPEG")
    check_format(photo(), "JPEG")
    check_format(source, "PNG")


# ---------------------------------------------------------------- metadata


@pytest.mark.parametrize("format", DESCRIBED)
def test_metadata_comes_back_byte_for_byte(format):
    source = photo()
    first = through(source, format)
    second = through(first, format)
    for kept in (first.metadata, second.metadata):
        assert kept.icc == ICC
        assert kept.xmp == XMP
    assert first.metadata.dpi == (pytest.approx((300, 300), abs=0.01) if format in ("JPEG", "PNG", "TIFF") else None)
    assert second.metadata == first.metadata
    assert format == "TIFF" or first.metadata.exif == source.metadata.exif
    block = Image.Exif()
    block.load(first.metadata.exif)
    assert block[0x010F] == "Maker"
    assert block.get_ifd(0x8825)[2] == (48.0, 8.0, 14.25)
    assert block.get_ifd(0x8769)[36867] == "2020:01:01 00:00:00"


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_other_programs_see_the_metadata_of_a_png(dtype):
    source = photo(dtype)
    encode(source.tensor(), buffer := io.BytesIO(), like=source, format="png")
    with Image.open(buffer) as image:
        image.load()
        assert image.info["icc_profile"] == ICC
        assert image.info["xmp"] == XMP
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert image.getexif().get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("format", DESCRIBED)
@pytest.mark.parametrize("orientation", [3, 6])
def test_a_turned_photo_is_written_upright(format, orientation):
    stored = picture().transpose(UPRIGHT[orientation])
    source = read(encoded(stored, "JPEG", exif=exif(orientation)))
    encode(source.tensor(), buffer := io.BytesIO(), like=source, format=format)
    with Image.open(buffer) as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert image.size == (23, 17)


def test_metadata_that_does_not_fit_is_dropped_and_said():
    notes = encode(photo().tensor(), io.BytesIO(), like=photo(), format="bmp")
    assert notes == tuple(f"BMP cannot hold the {what}; dropped" for what in ("EXIF", "XMP", "ICC profile"))
    source = read(encoded(picture(), "PNG", exif=exif() + bytes(70_000)))
    assert len(source.metadata.exif) > 70_000
    notes = encode(source.tensor(), io.BytesIO(), like=source, format="jpg")
    assert notes == ("JPEG cannot hold so much EXIF; dropped",)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("format", FORMATS)
def test_the_extension_chooses_the_format(format, tmp_path):
    written = write(photo().tensor(), tmp_path / "new" / f"out.{EXTENSION[format].upper()}", like=photo())
    assert read(written.path).format == format
    assert read(written.path).notes == ()


def test_format_defaults(tmp_path):
    layer = torch.rand(3, 5, 6)
    assert read(write(layer, tmp_path / "plain").path).format == "PNG"
    assert read(write(layer, tmp_path / "webp.png", format="webp").path).format == "WEBP"
    gif = read(encoded(picture(), "GIF"))
    assert read(write(gif.tensor(), tmp_path / "gif", like=gif).path).format == "PNG"
    with pytest.raises(UsageError, match="png"):
        write(layer, tmp_path / "x.gif")
    with pytest.raises(UnknownNameError, match="webp"):
        write(layer, tmp_path / "x.png", format="wepb")
    with pytest.raises(UnknownNameError, match="doc"):
        write(layer, tmp_path / "x.doc")


def test_an_open_file_takes_the_photo_as_a_pipe_does():
    class Pipe(io.RawIOBase):
        content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:
            self.content += bytes(data)
            return len(data)

    for format in FORMATS:
        written = write(photo().tensor(), pipe := Pipe(), like=photo(), format=format)
        assert str(written.path) == "-"
        assert read(pipe.content).format == format


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    with pytest.raises(PhotoError, match="--overwrite"):
        write(torch.rand(3, 4, 4), path)
    assert path.read_bytes() == b"precious"
    write(torch.rand(3, 4, 4), path, overwrite=True)
    assert read(path).width == 4
    with pytest.raises(PhotoError, match="folder"):
        write(torch.rand(3, 4, 4), tmp_path, overwrite=True)


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_leaves_nothing_behind(format, tmp_path, monkeypatch):
    path = tmp_path / f"out.{EXTENSION[format]}"
    path.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PhotoError, match="No space left") as caught:
        write(photo().tensor(), path, like=photo(), overwrite=True)
    assert str(path) in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"before"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("format", FORMATS)
def test_a_full_device_is_an_error_of_the_disk_in_every_encoder(format):
    large = Photo(pixels=samples("uint8", 300, 300))
    with open("/dev/full", "wb", buffering=0) as device, pytest.raises(OSError, match="No space left"):
        encode(large.tensor(), device, like=large, format=format)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError, ValueError])
def test_any_interruption_leaves_nothing_behind(fault, tmp_path, monkeypatch):
    def broken(file: io.BufferedWriter, *_: object) -> None:
        file.write(b"half")
        raise fault("now")

    monkeypatch.setitem(encode_module._ENCODERS, "PNG", broken)
    with pytest.raises(PhotoError if fault is ValueError else fault):
        write(photo().tensor(), tmp_path / "out.png")
    assert not list(tmp_path.iterdir())


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(PhotoError, match=r"cannot be written"):
        write(torch.rand(3, 4, 4), tmp_path / "file" / "out.png")


def test_new_files_have_the_permissions_of_new_files(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    path = write(torch.rand(3, 4, 4), tmp_path / "out.png").path
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_wrong_shapes_and_settings(tmp_path):
    path = tmp_path / "out.png"
    for layer in (torch.rand(1, 3, 4, 4), torch.rand(4, 4, 4), np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3), np.int32)):
        with pytest.raises(ShapeError):
            write(layer, path)
    with pytest.raises(ShapeError, match="alpha"):
        write(torch.rand(3, 4, 4), path, like=photo(alpha=True))
    with pytest.raises(SettingError, match="quality"):
        write(torch.rand(3, 4, 4), path, quality=0)
    with pytest.raises(PhotoError, match="16383"):
        write(np.zeros((1, 16384, 3), np.uint8), tmp_path / "wide.webp")
    assert not list(tmp_path.iterdir())


def test_writing_is_deterministic():
    for format in FORMATS:
        digests = set()
        for _ in range(2):
            encode(photo().tensor(), buffer := io.BytesIO(), like=photo(), format=format)
            digests.add(hashlib.sha256(buffer.getvalue()).hexdigest())
        assert len(digests) == 1, format
