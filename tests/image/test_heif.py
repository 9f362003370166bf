"""HEIC is read where its extra is installed, as any other format, and named where it is not."""

import io
import struct
from contextlib import suppress

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
    for end in range(24, len(HEIC["plain"]) - 1, 149):
        with pytest.raises(PhotoError):
            read(HEIC["plain"][:end])
    at = HEIC["plain"].index(b"ispe") + 8
    bomb = HEIC["plain"][:at] + struct.pack(">II", 60000, 60000) + HEIC["plain"][at + 8 :]
    for door in (read, size):
        with pytest.raises(PhotoError, match="megapixels"):
            door(bomb)
    with pytest.raises(PhotoError, match="megapixels"):
        read(HEIC["plain"], max_pixels=900)


@pytest.mark.usefixtures("with_extra")
def test_damage_is_refused_or_read():
    generator = np.random.default_rng(3)
    for _ in range(8):
        data = np.frombuffer(HEIC["plain"], np.uint8).copy()
        data[generator.integers(24, len(data), 6)] = generator.integers(0, 256, 6)
        with suppress(PhotoError):
            assert read(data.tobytes()).pixels.size


@pytest.mark.usefixtures("with_extra")
@pytest.mark.parametrize(
    ("end", "said"), [("kill -SEGV $$", "crashed"), ("echo 'no \u2603 here' >&2; exit 3", "no ☃ here"), ("exit 2", "no reason")]
)
def test_a_decoder_that_dies_costs_one_photo_and_no_process(end, said, tmp_path, monkeypatch):
    decoder = tmp_path / "python"
    decoder.write_text(f"#!/bin/sh\n{end}\n", encoding="utf-8")
    decoder.chmod(0o755)
    monkeypatch.setattr("limpid.image.heif_child.sys.executable", str(decoder))
    for door in (read, size):
        with pytest.raises(PhotoError, match=f"^photo: .*{said}.*get the file again$"):
            door(HEIC["plain"])
