"""One decoder for all doors: data sets see the same pixels and sizes as the runtime, and refuse the same files."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from exif_blocks import damaged, oriented
from limpid.data import decode
from limpid.data.manifest import check
from limpid.errors import PhotoError
from limpid.image.read import read
from limpid.layers.pixels import change_depth
from photo_samples import UPRIGHT, encoded, picture, png, png_chunk, samples


def tiff(array: np.ndarray, **settings: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="rgb", **settings)
    return file.getvalue()


def kinds() -> dict[str, bytes]:
    """Files that decoders are known to disagree on: ``name.extension`` → content."""
    stored = picture().transpose(UPRIGHT[6])
    clear = picture("RGBA")
    turned = {f"turned {fault}.jpg": encoded(stored, "JPEG", exif=block) for fault, block in damaged(">", 6).items()}
    return turned | {
        "long.jpg": encoded(stored, "JPEG", exif=oriented("<", 6, 4)),
        "long.png": encoded(stored, "PNG", exif=oriented(">", 6, 4)),
        "turned.webp": encoded(stored, "WEBP", exif=oriented(">", 6)),
        "turned.tif": encoded(stored, "TIFF", tiffinfo={274: 6}),
        "turned.avif": encoded(picture(), "AVIF", exif=oriented(">", 8)),
        "alpha.tif": encoded(clear, "TIFF"),
        "alpha.png": encoded(clear, "PNG"),
        "alpha.webp": encoded(clear, "WEBP"),
        "alpha deep.tif": tiff(samples("uint16", channels=4), extrasamples=["unassalpha"]),
        "multiplied.tif": tiff(samples("uint8", channels=4), extrasamples=["assocalpha"]),
        "deep.png": png(samples("uint16")),
        "deep clear.png": png(samples("uint16", channels=4)),
        "deep grey.png": png(samples("uint16", channels=1)),
        "fractions.tif": tiff(samples("float32")),
        "grey.jpg": encoded(picture("L"), "JPEG"),
        "cmyk.jpg": encoded(picture("CMYK"), "JPEG"),
        "palette.png": encoded(picture().convert("P"), "PNG"),
        "palette.gif": encoded(picture(), "GIF"),
        "bits.png": encoded(picture("L").convert("1"), "PNG"),
        "values.ppm": b"P6 2 2 100 " + bytes(range(12)),
        "values.pgm": b"P5 2 2 255 " + bytes(range(4)),
        "jfif.jfif": encoded(picture(), "JPEG"),
        "windows.bmp": encoded(picture(), "BMP"),
    }


KINDS = kinds()


def saved(folder: Path, kind: str) -> Path:
    path = folder / kind
    path.write_bytes(KINDS[kind])
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_training_and_evaluation_see_what_the_runtime_sees(tmp_path, kind):
    path = saved(tmp_path, kind)
    shown = read(path)
    seen = decode.pixels(path)
    assert (seen.shape, seen.dtype) == ((shown.height, shown.width, 3), np.uint8)
    assert np.array_equal(seen, np.broadcast_to(change_depth(shown.pixels, np.uint8), seen.shape))
    assert seen.flags.writeable
    assert seen.flags.c_contiguous
    assert decode.size(path) == seen.shape[:2]
    assert np.array_equal(decode.tensor(path).numpy(), shown.tensor().numpy())


def test_colours_are_never_multiplied_with_alpha(tmp_path):
    for kind in ("alpha.tif", "alpha.png"):
        assert np.array_equal(decode.pixels(saved(tmp_path, kind)), np.asarray(picture("RGBA"))[..., :3])


def refused() -> dict[str, bytes]:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(1 << 16))) + png_chunk(b"IEND", b"")
    return {
        "bomb.png": bomb,
        "bomb.ppm": b"P6 20000 20000 255\n" + bytes(100),
        "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "radiance.jpg": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 4\n" + bytes(64),
        "sun.jpg": struct.pack(">8I", 0x59A66A95, 4, 4, 24, 48, 1, 0, 0) + bytes(48),
        "raw.tif": tiff(samples("uint16"), extratags=[(50706, 1, 4, b"\1\4\0\0", True)]),
        "cut.jpg": encoded(picture(), "JPEG")[:-40],
        "empty.png": b"",
    }


REFUSED = refused()


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_runtime_refuses_every_door_refuses(tmp_path, kind):
    path = tmp_path / kind
    path.write_bytes(REFUSED[kind])
    for door in (read, decode.pixels, decode.tensor):
        with pytest.raises(PhotoError):
            door(path)
    report = check(tmp_path)
    assert [problem.file for problem in report.problems] == [kind]
    if kind != "cut.jpg":
        with pytest.raises(PhotoError, match="fetch it again or remove it"):
            decode.size(path)


def test_a_bomb_is_refused_from_its_header_before_pillow_or_opencv_see_it(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    path.write_bytes(REFUSED["bomb.png"])
    monkeypatch.setattr("cv2.imdecode", None)
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(PhotoError, match="megapixels"):
        decode.pixels(path)
