"""A header that promises too much is refused before anything is decoded, by every decoder."""

import io
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from limpid.errors import PhotoError
from limpid.image.read import read
from photo_samples import encoded, picture, png_chunk


def png_bomb(depth: int = 8) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + png_chunk(b"IEND", b"")


def patched(data: bytes, at: int, size: bytes) -> bytes:
    return data[:at] + size + data[at + len(size) :]


def tiff_bomb(**settings: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((16, 16, 3), settings.pop("dtype", np.uint8)), photometric="rgb", **settings)
    data = buffer.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        for tag in (256, 257):
            data = patched(data, tiff.pages[0].tags[tag].offset + 2, struct.pack("<HII", 4, 1, 60000))
    return data


def bombs() -> dict[str, bytes]:
    small = picture(size=(16, 16))
    jpeg, avif = encoded(small, "JPEG"), encoded(small, "AVIF")
    bits = encoded(Image.new("1", (16, 16)), "TIFF")
    webp = encoded(small, "WEBP", lossless=True, icc_profile=b"x")
    return {
        "jpeg": patched(jpeg, jpeg.index(b"\xff\xc0") + 5, struct.pack(">HH", 60000, 60000)),
        "png": png_bomb(),
        "png16": png_bomb(16),
        "webp": patched(webp, 24, (16382).to_bytes(3, "little") * 2),
        "webp lossless": patched(encoded(small, "WEBP", lossless=True), 21, b"\xff\xff\xff\x0f"),
        "webp lossy": patched(encoded(small, "WEBP"), 26, struct.pack("<HH", 16383, 16383)),
        "bmp": patched(encoded(small, "BMP"), 18, struct.pack("<ii", 60000, 60000)),
        "gif": patched(encoded(small, "GIF"), 6, struct.pack("<HH", 60000, 60000)),
        "avif": patched(avif, avif.index(b"ispe") + 8, struct.pack(">II", 16000, 16000)),
        "tiff": tiff_bomb(),
        "tiff deflate": tiff_bomb(compression="zlib"),
        "tiff 16 bits": tiff_bomb(compression="zlib", dtype=np.uint16),
        "tiff tiles": tiff_bomb(tile=(16, 16)),
        "tiff bits": bits.replace(struct.pack("<HHII", 256, 4, 1, 16), struct.pack("<HHII", 256, 4, 1, 1 << 30)),
    }


@pytest.mark.parametrize("kind", bombs())
def test_bombs_are_refused_quickly(kind):
    data = bombs()[kind]
    assert len(data) < 48_000
    start = time.process_time()  # of the processor, whatever else runs
    with pytest.raises(PhotoError, match="--max-pixels"):
        read(data, allow_truncated=True)
    assert time.process_time() - start < 1


def test_bombs_cost_no_memory(tmp_path):
    """A fresh process refuses them all; the peak of its memory, less what the imports took, is what it cost."""
    for kind, data in bombs().items():
        (tmp_path / kind).write_bytes(data)
    code = """
import resource, sys
from limpid.errors import PhotoError
from limpid.image.read import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        read(path)
    except PhotoError:
        continue
    raise SystemExit(path)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60


def test_the_limit_can_be_moved():
    data = encoded(picture(size=(100, 100)), "PNG")
    with pytest.raises(PhotoError, match=r"100×100"):
        read(data, max_pixels=9_999)
    assert read(data, max_pixels=10_000).width == 100


def test_a_raised_limit_passes_that_of_pillow(monkeypatch):
    """Pillow's own limit, whatever it is set to, stays out of it."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for format in ("JPEG", "PNG", "WEBP", "BMP", "AVIF", "TIFF"):
        assert read(encoded(picture(), format)).width == 23


def test_compressed_profiles_and_texts_are_bounded():
    deflated = zlib.compress(bytes(1 << 26), 9)
    bomb = png_chunk(b"iCCP", b"x\0\0" + deflated)
    text = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + deflated)
    data = encoded(picture(), "PNG")
    result = read(data[:33] + bomb + text + data[33:])
    assert result.metadata.icc is None
    assert result.metadata.xmp is None


def overlapping(**settings: object) -> tuple[bytes, bytes]:
    """An uncompressed TIFF of 30 parts, and the same with all of them at the place of the first, so that little is left of it."""
    buffer = io.BytesIO()
    samples = np.zeros((480, 16, 3), settings.pop("dtype", np.uint8))
    tifffile.imwrite(buffer, samples, photometric="rgb", metadata=None, **settings)
    sound = buffer.getvalue()
    data = bytearray(sound)
    with tifffile.TiffFile(io.BytesIO(sound)) as tiff:
        page = tiff.pages[0]
        offsets = page.tags.get(324) or page.tags[273]
        kind = f"{tiff.byteorder}30{'Q' if int(offsets.dtype) == 16 else 'I'}"
        assert len(offsets.value) == 30
        assert offsets.valueoffset < offsets.value[0]
        struct.pack_into(kind, data, offsets.valueoffset, *[offsets.value[0]] * 30)
        return sound, bytes(data[: offsets.value[0] + 2 * page.databytecounts[0]])


@pytest.mark.parametrize("parts", [{"rowsperstrip": 16}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("more", [{}, {"dtype": np.uint16}, {"bigtiff": True}], ids=str)
def test_strips_and_tiles_that_overlap_are_refused(parts, order, more):
    sound, small = overlapping(byteorder=order, **parts, **more)
    assert read(sound).pixels.shape == (480, 16, 3)
    assert len(small) < len(sound) / 4
    with pytest.raises(PhotoError, match="strips overlap"):
        read(small)
