"""HEIC is read where its extra is installed, as any other format, and named where it is not."""

import io
import struct

import numpy as np
import pytest

from exif_blocks import damaged, hopeless, oriented
from heif_samples import HEIC, PICTURE
from limpid.errors import PhotoError
from limpid.image import formats
from limpid.image.read import read, size
from limpid.image.write import write


@pytest.fixture
def without_extra(monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)


@pytest.fixture
def with_extra():
    pytest.importorskip("pi_heif")


@pytest.mark.usefixtures("without_extra")
def test_without_the_extra_it_is_named_with_the_command_that_helps(tmp_path):
    path = tmp_path / "shot.heic"
    path.write_bytes(HEIC["plain"])
    for door in (read, size):
        with pytest.raises(PhotoError, match=r"a HEIC photo; expected .*pip install 'limpid\[heif\]'"):
            door(path)
    assert (formats.unread_kind(path), formats.is_photo(path)) == ("HEIC", False)


@pytest.mark.usefixtures("with_extra")
@pytest.mark.parametrize("kind", HEIC)
def test_it_is_read_upright_in_its_depth(kind):
    found = read(HEIC[kind])
    white = 65535 if kind == "ten bits" else 255
    assert found.format == "HEIF"
    assert size(HEIC[kind]) == (found.height, found.width) == PICTURE.shape[:2]
    wanted = PICTURE[..., :1] if kind == "grey" else PICTURE
    assert np.abs(found.pixels / white - wanted / 255).max() < 0.05
    assert found.metadata.icc is None
    assert found.notes == (("further pictures in the file (depth, gain map, series) dropped",) if kind == "two" else ())
    for _ in range(20):  # pixels outlive the library's own memory
        read(HEIC["plain"])
    if kind == "see through":
        assert np.abs(found.alpha[:13].astype(int) - 100).max() <= 2
        assert found.alpha[13:].min() >= 253


@pytest.mark.usefixtures("with_extra")
@pytest.mark.parametrize("order", ["<", ">"])
def test_its_boxes_alone_turn_it_whatever_exif_says(order):
    sound = oriented(">", 1)
    assert HEIC["turned"].count(oriented(">", 6)) + HEIC["turned"].count(sound) == 1
    stored = oriented(">", 6) if oriented(">", 6) in HEIC["turned"] else sound
    for block in (damaged(order, 6) | hopeless(order, 6)).values():
        if len(block) <= len(stored):
            found = read(HEIC["turned"].replace(stored, block.ljust(len(stored), b"\0")))
            assert (found.height, found.width) == PICTURE.shape[:2]
    assert read(HEIC["turned"]).metadata.exif == sound


@pytest.mark.usefixtures("with_extra")
@pytest.mark.parametrize(("primaries", "transfer", "note"), [(12, 13, ""), (9, 16, "PQ"), (9, 18, "HLG")])
def test_its_code_points_become_a_profile(primaries, transfer, note):
    at = HEIC["plain"].index(b"nclx") + 4
    found = read(HEIC["plain"][:at] + struct.pack(">HH", primaries, transfer) + HEIC["plain"][at + 4 :])
    assert found.metadata.icc is not None
    assert note in " ".join(found.notes)


@pytest.mark.usefixtures("with_extra")
def test_the_result_is_a_png():
    file = io.BytesIO()
    found = read(HEIC["ten bits"])
    assert write(found.pixels, file, like=found).notes == ()
    assert read(file.getvalue()).pixels.dtype == np.uint16


@pytest.mark.usefixtures("with_extra")
def test_what_is_cut_short_or_too_large_is_refused():
    for end in range(24, len(HEIC["plain"]) - 1, 37):
        with pytest.raises(PhotoError):
            read(HEIC["plain"][:end])
    at = HEIC["plain"].index(b"ispe") + 8
    bomb = HEIC["plain"][:at] + struct.pack(">II", 60000, 60000) + HEIC["plain"][at + 8 :]
    for door in (read, size):
        with pytest.raises(PhotoError, match="megapixels"):
            door(bomb)
    with pytest.raises(PhotoError, match="megapixels"):
        read(HEIC["plain"], max_pixels=900)
