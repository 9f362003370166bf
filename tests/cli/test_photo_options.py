"""What the photo commands have besides layers: sheets, frames, masks, a record of what was done, and a stop at the first fault."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from limpid import catalogue, create_model
from limpid.checkpoints import file
from limpid.image.read import read
from photo_samples import ICC, encoded, exif
from photo_samples import picture as described
from pictures import picture
from training_samples import recipe
from xmp_steps import steps


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------- a sheet


def test_a_sheet_shows_before_and_after(limpid, photo, tiny):
    done = limpid("separate", photo, "-m", tiny, "--compare")
    assert done.code == 0, done.err
    assert names(photo.parent) == ["photo.compare.png", "photo.jpg", "photo.reflection.jpg", "photo.transmission.jpg"]
    assert done.lines[-1].endswith("photo.compare.png")
    sheet = np.asarray(Image.open(photo.with_name("photo.compare.png")))
    assert sheet.shape == (24 + 4 * 30, 3 * 4 * 40, 3)  # small photos grow by a whole number
    assert np.array_equal(sheet[24::4, :160:4], np.asarray(Image.open(photo)))
    assert np.array_equal(sheet[27::4, 163:320:4], np.asarray(Image.open(photo.with_name("photo.transmission.jpg"))))


def test_large_photos_fit_the_sheet_and_models_have_a_row_each(limpid, tmp_path, tiny):
    source = picture(tmp_path / "large.png", size=(1500, 500))
    done = limpid(
        "separate", source, "-m", tiny, "-m", f"other={tiny}", "--layers", "T", "--compare", "-o", tmp_path / "out", "--json"
    )
    assert done.code == 0, done.err
    assert Image.open(tmp_path / "out" / "large.compare.png").size == (2 * 720, 2 * (24 + 240))
    assert json.loads(done.lines[-1])["summary"]["compare"] == [str(tmp_path / "out" / "large.compare.png")]


def test_a_sheet_is_an_output_like_any_other(limpid, photo, tiny):
    words = ("separate", photo, "-m", tiny, "--layers", "T", "--compare")
    sheet = photo.with_name("photo.compare.png")
    sheet.write_bytes(b"mine")
    refused = limpid(*words)
    assert refused.code == 2
    assert "photo.compare.png: it exists" in refused.err
    assert names(photo.parent) == ["photo.compare.png", "photo.jpg"]
    assert limpid(*words, "--skip-existing").code == 0
    assert sheet.read_bytes() == b"mine"
    sheet.unlink()
    assert limpid(*words, "--skip-existing").code == 0  # the layer is there already
    assert Image.open(sheet).size == (320, 144)
    assert json.loads(limpid(*words, "--skip-existing", "--json").lines[-1])["summary"]["skipped"] == 1
    assert limpid("separate", picture(photo.with_suffix(".png")), photo, "-m", tiny, "--compare", "--overwrite").code == 2


def test_photos_that_failed_and_trials_have_no_sheet(limpid, tmp_path, tiny):
    picture(tmp_path / "in/good.png")
    (tmp_path / "in/bad.png").write_bytes(b"")
    words = ("separate", tmp_path / "in", "-m", tiny, "--layers", "T", "--compare", "-o", tmp_path / "out")
    assert limpid(*words, "--dry-run").code == 1
    assert not (tmp_path / "out").exists()
    assert limpid(*words).code == 1
    assert names(tmp_path / "out") == ["good.compare.png", "good.transmission.png"]


# ---------------------------------------------------------------- what contradicts itself is said first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--overwrite", "--skip-existing"], "--overwrite and --skip-existing contradict"),
        (["--quiet", "--verbose"], "--quiet and --verbose contradict"),
        (["--tile", "small"], "--tile takes auto, off or a side"),
        (["--layers", "T,shadow"], "no layer named 'shadow'"),
        (["--compare", "-o", "-"], "--compare writes a sheet beside files"),
        (["--skip-existing", "-o", "-"], "--skip-existing asks what lies on the disk"),
        (["--json", "-o", "-"], "standard output cannot hold both"),
        (["-o", "photo.transmission.jpg", "--layers", "T,R"], "holds one layer, not transmission, reflection"),
        (["-o", "photo.transmission.jpg", "--format", "png"], "drop one of them"),
        (["--preview", "best.png"], "add -m double_dip"),
        (["--feather", "3"], "give one of them a mask"),
        (["--protect", "gone.png"], "there is no such file"),
    ],
)
def test_options_that_conflict_are_named_before_what_exists(limpid, photo, monkeypatch, options, message):
    monkeypatch.chdir(photo.parent)
    photo.with_suffix(".transmission.jpg").write_bytes(b"mine")
    done = limpid("separate", photo.name, *options)
    assert done.code == 2
    assert message in done.err
    assert "exists;" not in done.err


# ---------------------------------------------------------------- frames


@pytest.mark.parametrize(
    ("name", "made"), [("a.gif", "png"), ("a.png", "png"), ("a.webp", "webp"), ("a.tif", "tif"), ("a.avif", "avif")]
)
def test_every_frame_is_separated(limpid, tmp_path, tiny, name, made):
    frames = [Image.fromarray(np.full((20, 24, 3), 60 * place + 40, np.uint8)) for place in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    first = limpid("separate", tmp_path / name, "-m", tiny, "--layers", "T", "-o", tmp_path / "first")
    assert first.code == 0, first.err
    assert "first " in first.err
    words = ("separate", tmp_path / name, "-m", tiny, "--strength", 0, "--layers", "T", "--frames", "all", "--compare")
    done = limpid(*words, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert "first " not in done.err
    for place in range(3):
        levels = np.asarray(Image.open(tmp_path / "out" / f"a.frame00{place + 1}.transmission.{made}").convert("RGB"))
        assert abs(levels.mean() - (60 * place + 40)) < 2
        sheet = np.asarray(Image.open(tmp_path / "out" / f"a.frame00{place + 1}.compare.png"))[24:, :24]
        assert abs(sheet.mean() - (60 * place + 40)) < 2
    refused = limpid(*words, "-o", tmp_path / f"one.{made}")
    assert refused.code == 2
    assert "several frames" in refused.err


def test_a_photo_of_one_frame_has_its_usual_name_and_endless_films_are_cut(limpid, tmp_path, tiny):
    picture(tmp_path / "in/one.png")
    frames = [Image.new("L", (8, 8), place) for place in range(66)]
    frames[0].save(tmp_path / "in/film.gif", save_all=True, append_images=frames[1:])
    done = limpid("separate", tmp_path / "in", "-m", tiny, "--layers", "T", "--frames", "all", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert len(names(tmp_path / "out")) == 65
    assert "one.transmission.png" in names(tmp_path / "out")
    assert "film.gif[64]: note: the last of the frames that are taken; 2 further ones are left out" in done.err


# ---------------------------------------------------------------- what is written beside pixels


def full(path):
    """A JPEG with everything that a camera notes."""
    path.write_bytes(encoded(described(), "JPEG", exif=b"Exif\0\0" + exif(), icc_profile=ICC, dpi=(300, 300)))
    return path


def test_what_was_done_stands_in_xmp(limpid, tmp_path, tiny):
    source = full(tmp_path / "photo.jpg")
    done = limpid("separate", source, "-m", tiny, "--strength", 0.5, "--json")
    digest = json.loads(done.lines[0])["weights_sha256"]
    for layer in ("transmission", "reflection"):
        (step,) = steps(read(tmp_path / f"photo.{layer}.jpg").metadata.xmp)
        assert step["Software"].startswith("limpid ")
        assert (step["Model"], step["WeightsSHA256"], step["Layer"]) == ("tiny", digest, layer)
        assert "strength=0.5; precision=float32" in step["Settings"]
    again = limpid("denoise", tmp_path / "photo.transmission.jpg", "-o", tmp_path / "again.png")
    assert again.code == 0, again.err
    assert [step["Model"] for step in steps(read(tmp_path / "again.png").metadata.xmp)] == ["tiny", "limpid_denoise"]


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "tiff", "avif", "bmp"])
def test_every_format_that_holds_xmp_has_the_record_and_none_complains(limpid, tmp_path, tiny, format):
    source = picture(tmp_path / "photo.png")
    done = limpid("separate", source, "-m", tiny, "--layers", "T", "--format", format)
    assert (done.code, "XMP" in done.err) == (0, False)
    kept = read(next(tmp_path.glob("photo.transmission.*"))).metadata.xmp
    assert (kept is None) == (format == "bmp")


def test_the_record_can_be_left_out_and_the_rest_stays(limpid, tmp_path, tiny):
    source = full(tmp_path / "photo.jpg")
    assert limpid("separate", source, "-m", tiny, "--layers", "T", "--no-provenance").code == 0
    before, after = read(source).metadata, read(tmp_path / "photo.transmission.jpg").metadata
    assert after == before


def test_stripped_photos_say_nothing_but_their_colours(limpid, tmp_path, tiny):
    source = full(tmp_path / "photo.jpg")
    assert limpid("separate", source, "-m", tiny, "--layers", "T", "--strip-metadata").code == 0
    kept = read(tmp_path / "photo.transmission.jpg").metadata
    assert kept.icc == ICC
    assert (kept.exif, kept.xmp, kept.iptc) == (None, None, None)
    assert b"Exif" not in (tmp_path / "photo.transmission.jpg").read_bytes()


def test_masks_keep_their_places(limpid, tmp_path, tiny):
    source = picture(tmp_path / "photo.png")
    Image.fromarray(np.repeat(np.uint8([[255] * 20 + [0] * 20]), 30, axis=0)).save(tmp_path / "mask.png")
    before = np.asarray(Image.open(source))
    for word, kept in (("--protect", slice(0, 20)), ("--only", slice(20, 40))):
        done = limpid("separate", source, "-m", tiny, "--layers", "T", word, tmp_path / "mask.png", "--overwrite", "--force")
        assert done.code == 0, done.err
        after = np.asarray(Image.open(tmp_path / "photo.transmission.png"))
        assert np.array_equal(after[:, kept], before[:, kept])
        assert not np.array_equal(after, before)
        assert f"{word.lstrip('-')}=mask.png" in steps(read(tmp_path / "photo.transmission.png").metadata.xmp)[0]["Settings"]


# ---------------------------------------------------------------- the first fault, and no network


@pytest.mark.parametrize("jobs", [1, 2])
def test_fail_fast_begins_nothing_after_a_fault(limpid, tmp_path, tiny, jobs):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"")
    for index in range(30):
        picture(tmp_path / f"in/b{index:02d}.png", size=(300, 200))
    words = ("separate", tmp_path / "in", "-m", tiny, "--layers", "T", "--jobs", jobs, "--fail-fast")
    done = limpid(*words, "-o", tmp_path / "out")
    written = len(names(tmp_path / "out")) if (tmp_path / "out").exists() else 0
    assert done.code == 1
    assert written < 30
    assert f"{written} done, 0 skipped, 1 failed, {30 - written} left by --fail-fast" in done.err
    summary = json.loads(limpid(*words, "-o", tmp_path / "again", "--json").lines[-1])["summary"]
    assert summary["failed"] == 1
    assert summary["left"] == 30 - summary["done"]


@pytest.mark.parametrize(
    "words",
    [
        ("separate", "photo.jpg", "-m", "net.safetensors"),
        ("separate", "photo.jpg", "-m", "hf-hub:owner/name"),
        ("export", "net.safetensors", "net.onnx"),
        ("bench", "net.safetensors"),
        ("demo", "-m", "net.safetensors"),
        ("train", "sample.yaml", "PHOTOS=.", "HELD=.", "model.name=errnet"),
    ],
    ids=" ".join,
)
def test_offline_says_at_once_what_is_missing(limpid, photo, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    recipe(tmp_path / "sample.yaml")
    picture(tmp_path / "other.jpg", seed=1)
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))
    network = create_model("errnet", "tiny")
    tensors = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith("backbone.")}
    settings = catalogue.find("models", "errnet").sizes["tiny"]
    file.save(tmp_path / "net.safetensors", file.Checkpoint(model="errnet", settings=settings, tensors=tensors, notes={}))
    done = limpid(*words, "--offline")
    assert re.search("--offline forbids to (download it from https://|ask the hub)", done.err + done.out)
    assert done.code == 1


COLOUR = re.compile(rb"\x1b\[[\d;]*3[0-7]m")


@pytest.mark.parametrize("words", [["--no-color", "separate", "--help"], ["separate", "--help", "--no-color"]])
def test_colours_can_be_left_out(words):
    coloured = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    coloured.pop("NO_COLOR", None)
    shown = [
        subprocess.run([sys.executable, "-m", "limpid", *arguments], capture_output=True, check=True, env=coloured).stdout
        for arguments in (["separate", "--help"], words)
    ]
    assert [bool(COLOUR.search(text)) for text in shown] == [True, False]
