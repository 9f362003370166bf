"""What reading promises: upright, in full depth, alpha apart, metadata as found, one line when it fails."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms, ImageFile

from limpid.errors import PhotoError
from limpid.image.photo import Photo
from limpid.image.read import read
from limpid.image.write import write
from limpid.layers.pixels import quantise
from photo_samples import ALL_FORMATS, ICC, UPRIGHT, encoded, exif, photo, picture, png, png_chunk, samples

LOSSLESS = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}


def rgb(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


# ---------------------------------------------------------------- formats and sources


@pytest.mark.parametrize("format", ALL_FORMATS)
def test_every_format_is_read_as_pillow_shows_it(format):
    data = encoded(picture(), format)
    result = read(data)
    assert result.format == format
    assert np.array_equal(result.pixels, rgb(Image.open(io.BytesIO(data))))
    assert (result.height, result.width) == (17, 23)
    assert result.pixels.flags.c_contiguous


def test_every_source_gives_the_same_photo(tmp_path):
    image = picture()
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(image, "PNG"))
    array = np.asarray(image)
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1) / 255
    with path.open("rb") as file:
        sources = [
            path,
            str(path),
            path.read_bytes(),
            bytearray(path.read_bytes()),
            file,
            io.BytesIO(path.read_bytes()),
            image,
            array,
        ]
        for source in sources:
            assert np.array_equal(read(source).pixels, array)
    for source in (tensor, tensor[None], array / np.float32(255), array / 255.0):
        assert torch.equal(read(source).tensor(), read(array).tensor())
    assert np.array_equal(read(array[..., 0]).pixels, array[..., :1])
    assert read(samples("uint16")).pixels.dtype == np.uint16
    assert np.array_equal(read(samples("uint8", channels=4)).alpha, samples("uint8", channels=4)[..., 3])


def test_an_open_file_is_read_from_where_it_stands():
    data = encoded(picture(), "PNG")
    stream = io.BytesIO(b"before" + data)
    stream.seek(6)
    assert np.array_equal(read(stream).pixels, np.asarray(picture()))


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((4, 4), np.int64),
        np.zeros((0, 4, 3), np.uint8),
        torch.zeros(2, 3, 4, 4),
        np.zeros(7),
    ],
)
def test_arrays_that_are_no_photo_are_refused(source):
    with pytest.raises(PhotoError, match=r"photo|samples"):
        read(source)


# ---------------------------------------------------------------- orientation


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_give_the_same_upright_photo(format, orientation):
    image = picture()
    stored = image.transpose(UPRIGHT[orientation]) if orientation > 1 else image
    settings = LOSSLESS.get(format, {"quality": 100, "subsampling": 0})
    expected = rgb(Image.open(io.BytesIO(encoded(image, format, **settings)))).astype(int)
    result = read(encoded(stored, format, exif=exif(orientation), **settings))
    assert result.pixels.shape == expected.shape
    assert np.abs(result.pixels - expected).max() <= (0 if format in ("PNG", "TIFF", "WEBP") else 4)
    assert _orientation(result) in (None, 1)


def _orientation(result: Photo) -> int | None:
    block = Image.Exif()
    block.load(result.metadata.exif or b"")
    return block.get(0x0112)


@pytest.mark.parametrize("kind", ["png", "tiff", "lzw"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_sixteen_bits(kind, orientation):
    upright = samples("uint16")
    stored = _stored(upright, orientation)
    if kind == "png":
        data = png(stored, png_chunk(b"eXIf", exif(orientation)))
    else:
        data = tiff(stored, compression="zlib" if kind == "lzw" else None, extratags=[(274, "H", 1, orientation, True)])
    assert np.array_equal(read(data).pixels, upright)


def _stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """An upright array as a camera held in this orientation stores it, by Pillow's index arithmetic on a map of places."""
    if orientation == 1:
        return upright
    places = np.arange(upright.shape[0] * upright.shape[1], dtype=np.int32).reshape(upright.shape[:2])
    moved = np.asarray(Image.fromarray(places, "I").transpose(UPRIGHT[orientation]))
    return np.ascontiguousarray(upright.reshape(-1, upright.shape[2])[moved])


def test_thumbnail_goes_and_the_rest_of_exif_stays():
    thumbnail = encoded(picture(size=(8, 8)), "JPEG")
    with_thumbnail, without = exif(6, thumbnail), exif(1)
    result = read(encoded(picture(), "JPEG", exif=with_thumbnail))
    kept = result.metadata.exif
    assert thumbnail[-40:] not in kept
    assert kept.startswith(without[:-4])
    block = Image.Exif()
    block.load(kept)
    assert block.get_ifd(0x8825)[2] == (48.0, 8.0, 14.25)
    assert not block.get_ifd(0x014A)


def test_orientation_named_in_xmp_is_reset_too():
    xmp = b'<x:xmpmeta tiff:Orientation="6"><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>'
    result = read(encoded(picture(), "JPEG", exif=exif(6), xmp=xmp))
    assert result.metadata.xmp == xmp.replace(b"6", b"1")
    alone = read(encoded(picture(), "JPEG", xmp=xmp))
    assert alone.metadata.xmp == xmp.replace(b"6", b"1")
    assert (alone.height, alone.width) == (23, 17)


# ---------------------------------------------------------------- depth


def tiff(array: np.ndarray, **settings: object) -> bytes:
    buffer = io.BytesIO()
    array = array.squeeze(-1) if array.shape[-1] == 1 else array
    channels = 1 if array.ndim == 2 else array.shape[2]
    extra = ["unassalpha"] if channels in (2, 4) and "extrasamples" not in settings else settings.pop("extrasamples", None)
    settings.setdefault("photometric", "rgb" if channels > 2 else "minisblack")
    tifffile.imwrite(buffer, array, extrasamples=extra, planarconfig="contig" if channels > 1 else None, **settings)
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png_is_exact(channels):
    array = samples("uint16", channels=channels)
    result = read(png(array))
    colours = 1 if channels < 3 else 3
    assert result.pixels.dtype == np.uint16
    assert np.array_equal(result.pixels, array[..., :colours])
    assert (result.alpha is None) == (channels in (1, 3))
    if result.alpha is not None:
        assert np.array_equal(result.alpha, array[..., -1])


@pytest.mark.parametrize("settings", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"tile": (16, 16)}])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_tiff_is_exact(dtype, channels, settings):
    array = samples(dtype, channels=channels)
    result = read(tiff(array, **settings))
    colours = 1 if channels < 3 else 3
    assert result.pixels.dtype == array.dtype
    assert np.array_equal(result.pixels, array[..., :colours])
    assert channels < 4 or np.array_equal(result.alpha, array[..., 3])


def test_tiff_with_predictor_or_lzw_is_exact():
    array = samples("uint16")
    assert np.array_equal(read(tiff(array, compression="zlib", predictor=2)).pixels, array)
    done, lzw = cv2.imencode(".tiff", array[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    assert done
    assert np.array_equal(read(lzw.tobytes()).pixels, array)


def test_planar_white_is_zero_and_double_tiff():
    array = samples("uint16")
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.moveaxis(array, -1, 0), photometric="rgb", planarconfig="separate")
    assert np.array_equal(read(buffer.getvalue()).pixels, array)
    grey = samples("uint16", channels=1)
    assert np.array_equal(read(tiff(grey, photometric="miniswhite")).pixels, 65535 - grey)
    assert read(tiff(samples("float32").astype(np.float64))).pixels.dtype == np.float32


def test_premultiplied_alpha_is_undone():
    alpha = np.full((5, 6, 1), 0.5, np.float32)
    colour = samples("float32", 5, 6)
    result = read(tiff(np.dstack([colour * alpha, alpha]), extrasamples=["assocalpha"]))
    assert np.allclose(result.pixels, colour, atol=1e-6)
    assert any("alpha" in note for note in result.notes)


def test_not_finite_samples_are_replaced_and_counted():
    array = samples("float32")
    array[0, 0], array[1, 1, 0], array[2, 2, 0] = np.nan, np.inf, 7.0
    result = read(tiff(array))
    assert result.pixels[0, 0].tolist() == [0, 0, 0]
    assert result.pixels[1, 1, 0] == result.pixels[2, 2, 0] == 1
    assert "4 NaN or infinite samples replaced" in result.notes
    assert "1 samples outside 0…1 clamped" in result.notes


def test_several_pages_and_frames_give_the_first_with_a_note():
    pages = np.stack([samples("uint16"), samples("uint16", seed=1)])
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pages, photometric="rgb")
    result = read(buffer.getvalue())
    assert np.array_equal(result.pixels, pages[0])
    assert result.notes == ("first page of several",)
    frames = [picture().rotate(90 * turn) for turn in range(3)]
    for format in ("GIF", "WEBP"):
        result = read(encoded(frames[0], format, save_all=True, append_images=frames[1:]))
        assert "first frame of 3" in result.notes
    assert read(encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])).notes == ("first frame of an animation",)


# ---------------------------------------------------------------- modes


@pytest.mark.parametrize(("mode", "channels", "alpha"), [("L", 1, False), ("LA", 1, True), ("RGB", 3, False), ("RGBA", 3, True)])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_alpha_stands_apart_and_grey_stays_grey(format, mode, channels, alpha):
    image = picture(mode)
    result = read(encoded(image, format))
    array = np.asarray(image).reshape(17, 23, -1)
    assert np.array_equal(result.pixels, array[..., :channels])
    assert np.array_equal(result.alpha, array[..., -1]) if alpha else result.alpha is None
    assert result.notes == ()


def test_palettes_become_rgb_with_their_transparency():
    image = picture().quantize(16)
    result = read(encoded(image, "PNG"))
    assert np.array_equal(result.pixels, rgb(image))
    assert result.notes == ("palette converted to RGB",)
    result = read(encoded(image, "PNG", transparency=3))
    assert np.array_equal(result.alpha == 0, np.asarray(image) == 3)
    assert result.notes == ("palette converted to RGBA",)
    result = read(encoded(image, "GIF", transparency=3))
    assert np.array_equal(result.alpha == 0, np.asarray(image) == 3)


def test_one_bit_and_transparent_colour():
    image = picture("L").convert("1")
    result = read(encoded(image, "PNG"))
    assert np.array_equal(result.pixels[..., 0], np.asarray(image) * 255)
    assert "black and white" in result.notes[0]
    key = tuple(np.asarray(picture())[3, 4])
    result = read(encoded(picture(), "PNG", transparency=key))
    assert result.alpha[3, 4] == 0
    assert result.alpha.max() == 255


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_becomes_srgb_with_a_note(format):
    image = picture("CMYK")
    data = encoded(image, format)
    result = read(data)
    assert np.array_equal(result.pixels, rgb(Image.open(io.BytesIO(data))))
    assert "CMYK" in result.notes[0]
    assert result.metadata.icc is None


def cmyk_profile() -> bytes:
    """A press whose every ink is grey: L = 100 (1 − mean of C, M, Y)(1 − K), as a lut8 table with two points an ink (ICC.1)."""
    corners = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    table = b"".join(bytes([round(255 * (1 - (c + m + y) / 3) * (1 - k)), 128, 128]) for c, m, y, k in corners)
    straight = bytes(range(256))
    one = 1 << 16
    lut = struct.pack(">4s4xBBBx9i", b"mft1", 4, 3, 2, one, 0, 0, 0, one, 0, 0, 0, one) + straight * 4 + table + straight * 3
    lut += bytes(-len(lut) % 4)
    white_point = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    start = 128 + 4 + 2 * 12
    tags = struct.pack(">I4sII4sII", 2, b"A2B0", start, len(lut), b"wtpt", start + len(lut), len(white_point))
    head = struct.pack(">I4xI4s4s4s12x4s", start + len(lut) + len(white_point), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    return head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + tags + lut + white_point


def test_cmyk_goes_through_its_own_profile():
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, 8:, 0] = 255  # plain formula: cyan is (0, 255, 255); this press prints it as L = 66.7
    image = Image.fromarray(inks, "CMYK")
    result = read(encoded(image, "TIFF", icc_profile=cmyk_profile()))
    assert np.abs(result.pixels[:, :8].astype(int) - 255).max() <= 3
    assert np.abs(result.pixels[:, 8:].astype(int) - 162).max() <= 3
    assert result.notes == ("CMYK converted to sRGB through its profile",)
    assert result.metadata.icc is None


def test_lab_goes_through_littlecms():
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture(), srgb, lab, outputMode="LAB")
    result = read(encoded(converted, "TIFF"))
    assert np.abs(result.pixels.astype(int) - np.asarray(picture())).mean() < 3
    assert result.notes == ("Lab converted to sRGB",)


def test_a_profile_for_other_pixels_does_not_travel_on():
    cmyk_profile = bytearray(ICC)
    cmyk_profile[16:20] = b"CMYK"
    result = read(encoded(picture(), "JPEG", icc_profile=bytes(cmyk_profile)))
    assert result.metadata.icc is None
    assert "ICC" in result.notes[0]


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"0 bytes"),
        (b"just some text\n", "text"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"%PDF-1.7 ....", "PDF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"8BPS\0\1", "Photoshop"),
        (b"SIMPLE  =                    T", "FITS"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (bytes(range(256)), "known kind"),
    ],
)
def test_what_is_no_photo_is_named(tmp_path, content, words):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "expected JPEG" in str(caught.value)


def test_wrong_extension_is_read_by_content(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(picture(), "PNG"))
    result = read(path)
    assert result.format == "PNG"
    assert result.notes == ("it is PNG in spite of its extension",)


@pytest.mark.parametrize("name", ["a b ü 照片.png", "line\nbreak.png", "x" * 251 + ".png"])
def test_odd_names(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(encoded(picture(), "PNG")[:-30])
    with pytest.raises(PhotoError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(encoded(picture(), "PNG"))
    assert read(path).notes == ()


def test_missing_folder_and_unreadable(tmp_path, monkeypatch):
    with pytest.raises(PhotoError, match="No such file"):
        read(tmp_path / "none.png")
    with pytest.raises(PhotoError, match="folder"):
        read(tmp_path)
    path = tmp_path / "locked.png"
    path.write_bytes(encoded(picture(), "PNG"))

    def locked(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("limpid.files.open", locked, raising=False)  # root may read anything, so chmod proves nothing
    with pytest.raises(PhotoError, match="permission"):
        read(path)


def _cuts(data: bytes) -> list[bytes]:
    return [data[: len(data) * percent // 100] for percent in range(0, 100, 5)]


@pytest.mark.parametrize("kind", ["JPEG", "progressive", "PNG", "interlaced", "sixteen"])
def test_files_cut_short_are_refused_or_filled(kind):
    image = Image.fromarray(samples("uint8", 80, 100))
    if kind == "sixteen":
        data = png(samples("uint16", 80, 100))
    elif kind == "interlaced":
        data = _interlaced(samples("uint8", 80, 100, 1))
    else:
        data = encoded(image, "PNG") if kind == "PNG" else encoded(image, "JPEG", progressive=kind == "progressive")
    whole, filled = read(data), 0
    for cut in _cuts(data):
        with pytest.raises(PhotoError):
            read(cut)
        try:
            result = read(cut, allow_truncated=True)
        except PhotoError:
            continue
        filled += 1
        assert result.pixels.shape == whole.pixels.shape
        assert "cut short" in result.notes[-1]
        if kind != "progressive" and len(cut) > len(data) // 2:
            rows = 8
            assert np.array_equal(result.pixels[:rows:8], whole.pixels[:rows:8])
    assert filled >= 16
    with pytest.raises(PhotoError, match="--allow-truncated"):
        read(_cuts(data)[15])


def _interlaced(array: np.ndarray) -> bytes:
    """An Adam7 PNG of grey samples, by the definition of the passes."""
    height, width = array.shape[:2]
    raw = b""
    for left, top, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        raw += b"".join(b"\0" + row.tobytes() for row in array[top::down, left::across, 0])
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(raw)) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["TIFF", "WEBP", "AVIF", "BMP"])
def test_other_formats_cut_short_are_refused(format):
    data = encoded(Image.fromarray(samples("uint8", 80, 100)), format)
    for cut in _cuts(data):
        with pytest.raises(PhotoError):
            read(cut)
    sixteen = tiff(samples("uint16", 80, 100))
    with pytest.raises(PhotoError, match="cut short"):
        read(sixteen[: len(sixteen) // 2])


@pytest.mark.parametrize("data", [png(samples("uint16", 80, 100)), encoded(Image.fromarray(samples("uint8", 80, 100)), "PNG")])
def test_a_damaged_png_is_refused_or_filled(data):
    broken = bytearray(data)
    broken[len(data) * 3 // 4] ^= 0xFF
    with pytest.raises(PhotoError, match="--allow-truncated"):
        read(broken)
    result = read(broken, allow_truncated=True)
    assert np.array_equal(result.pixels[:20], read(data).pixels[:20])
    assert "filled" in result.notes[0]


def test_broken_metadata_is_dropped_and_the_photo_read():
    circle = bytearray(exif(6))
    struct.pack_into(">I", circle, circle.index(struct.pack(">HHI", 0x8769, 4, 1)) + 8, 8)  # points to where we are
    huge = exif(1) + bytes(10 << 20)
    for block, orientation in ((bytes(circle), 6), (huge, 1), (b"garbage, certainly no EXIF", 1)):
        result = read(png(_stored(samples("uint16"), orientation), png_chunk(b"eXIf", block)))
        assert result.metadata.exif is None
        assert "broken EXIF dropped" in result.notes[0]
        assert np.array_equal(result.pixels, samples("uint16"))
    for profile in (b"garbage", ICC[:300], bytes(200)):
        result = read(encoded(picture(), "JPEG", icc_profile=profile))
        assert result.metadata.icc is None
        assert "ICC" in result.notes[0]


def test_the_input_is_untouched_and_pillow_too(tmp_path, recwarn, capfd):
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    for format in ALL_FORMATS:
        path = tmp_path / f"photo.{format.lower()}"
        path.write_bytes(encoded(picture(), format))
        content, stamp = path.read_bytes(), path.stat().st_mtime_ns
        result = read(path)
        write(result.tensor(), tmp_path / "out.png", like=result, overwrite=True)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, stamp)
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    assert not recwarn.list
    assert capfd.readouterr().err == ""


# ---------------------------------------------------------------- tensors


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_tensor_and_back_is_exact(dtype, channels):
    source = photo(dtype, channels=channels)
    tensor = source.tensor()
    assert tensor.shape == (3, 17, 23)
    assert tensor.dtype == torch.float32
    assert tensor.max() <= 1
    assert torch.equal(source.tensor(slice(3, 9)), tensor[:, 3:9])
    assert np.array_equal(quantise(tensor, dtype, source.grey), source.pixels)


def test_every_level_survives():
    for dtype, levels in (("uint8", 256), ("uint16", 65536)):
        ramp = np.arange(levels, dtype=dtype).reshape(1, -1, 1)
        assert np.array_equal(quantise(Photo(pixels=ramp).tensor(), dtype, grey=True), ramp)


def test_quantise_clamps_and_rounds():
    layer = torch.tensor([-1.0, 0.4 / 255, 0.6 / 255, 2.0]).expand(3, 1, 4)
    assert quantise(layer, np.uint8)[0, :, 0].tolist() == [0, 0, 1, 255]
