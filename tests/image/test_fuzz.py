"""Damaged files of every format: read() gives a photo or a PhotoError, nothing else, and write() never half a file."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limpid.errors import PhotoError
from limpid.image.formats import WRITABLE
from limpid.image.read import read
from limpid.image.write import write
from photo_samples import ALL_FORMATS, ICC, encoded, exif, picture, png, samples

MAX_PIXELS = 1 << 20
"""A damaged header may well ask for more; a low limit keeps the run quick and the refusal is part of the test."""


def seeds(format: str) -> list[bytes]:
    """Two or more sound files of a format, as different inside as it allows."""
    small = picture(size=(9, 7))
    if format == "PPM":
        return [b"P1 3 2 101010", b"P3 2 1 9 1 2 3 4 5 6", b"P5#x\n9 7 255\n" + bytes(63), encoded(small, "PPM")]
    if format == "GIF":
        return [encoded(small, format), encoded(small, format, save_all=True, append_images=[small.rotate(180)])]
    if format == "BMP":
        return [encoded(small, format), encoded(small.convert("P"), format), encoded(small.convert("1"), format)]
    described = encoded(small, format, exif=exif(6), icc_profile=ICC[:200])
    if format == "PNG":
        return [described, png(samples("uint16", 7, 9)), encoded(small.convert("P"), format), encoded(small.convert("LA"), format)]
    if format == "TIFF":
        sixteen = _written(samples("uint16", 7, 9), "x.tif")
        return [described, sixteen, encoded(small, format, compression="tiff_lzw"), encoded(small.convert("CMYK"), format)]
    grey = encoded(small.convert("L"), format)
    extra = {"JPEG": {"progressive": True}, "WEBP": {"lossless": True}}.get(format, {"quality": 100})
    return [described, grey, encoded(small, format, **extra)]


def _written(layer: np.ndarray, name: str) -> bytes:
    buffer = BytesIO()
    write(layer, buffer, format=Path(name).suffix)
    return buffer.getvalue()


@st.composite
def damage(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """One of the files with bytes changed, put in or cut off, mostly in its header."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, 4))):
        reach = min(200, len(data)) if draw(st.booleans()) else len(data)
        at = draw(st.integers(0, max(reach - 1, 0)))
        if draw(st.integers(0, 3)):
            data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        else:
            data[at:at] = draw(st.binary(min_size=1, max_size=5))
    if draw(st.integers(0, 2)) == 0:
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


@pytest.mark.parametrize("format", [*ALL_FORMATS, "PPM"])
def test_damaged_files_are_read_or_refused_and_never_half_written(format, fuzz_examples, tmp_path, capfd):
    outcomes = {"read": 0, "refused": 0}
    lines: list[str] = []
    target = tmp_path / f"out.{format.lower() if format in WRITABLE else 'png'}"

    @settings(max_examples=fuzz_examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=damage(seeds(format)), allow_truncated=st.booleans())
    def one(data: bytes, allow_truncated: bool) -> None:
        try:
            photo = read(data, max_pixels=MAX_PIXELS, allow_truncated=allow_truncated)
        except PhotoError as fault:
            outcomes["refused"] += 1
            lines.append(str(fault))
            return
        outcomes["read"] += 1
        assert photo.pixels.ndim == 3
        assert np.isfinite(photo.pixels).all()
        try:
            write(photo.pixels, target, like=photo, overwrite=True)
        except PhotoError:
            assert not list(tmp_path.iterdir())
            return
        assert list(tmp_path.iterdir()) == [target]
        again = read(target)
        assert (again.height, again.width) == (photo.height, photo.width)
        target.unlink()

    one()
    assert min(outcomes.values()) > fuzz_examples // 50, outcomes  # both ends were reached
    assert not [line for line in lines if "\n" in line]
    assert "Warning" not in capfd.readouterr().err
