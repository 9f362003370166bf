"""``limpid separate`` as a person uses it."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from heif_samples import HEIC
from limpid import create_model
from limpid.image import formats
from pictures import picture


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_both_layers_appear_beside_the_photo_which_is_untouched(limpid, photo, tiny):
    before = digest(photo)
    done = limpid("separate", photo, "-m", tiny)
    assert done.code == 0, done.err
    assert names(photo.parent) == ["photo.jpg", "photo.reflection.jpg", "photo.transmission.jpg"]
    assert Image.open(photo.with_suffix(".transmission.jpg")).size == (40, 30)
    assert digest(photo) == before
    assert done.lines == [str(photo.with_suffix(f".{layer}.jpg")) for layer in ("transmission", "reflection")]


def test_the_shipped_weights_are_the_default(limpid, photo):
    done = limpid("separate", photo, "--json")
    report = json.loads(done.lines[0])
    assert report["model"] == "limpid"
    assert len(report["weights_sha256"]) == 64
    assert (report["width"], report["height"]) == (40, 30)
    assert set(report["outputs"]) == {"transmission", "reflection"}
    assert json.loads(done.lines[1]) == {"summary": {"done": 1, "skipped": 0, "failed": 0}}


def test_a_folder_is_mirrored_and_our_own_outputs_are_skipped(limpid, tmp_path, tiny):
    for place in ("in/a.jpg", "in/deep/b.png", "in/a.transmission.jpg"):
        picture(tmp_path / place)
    done = limpid("separate", tmp_path / "in", "-o", tmp_path / "out", "-m", tiny, "--layers", "T")
    assert done.code == 0, done.err
    assert names(tmp_path / "out") == ["a.transmission.jpg", "deep/b.transmission.png"]
    assert "2 done, 0 skipped, 0 failed" in done.err


@pytest.mark.parametrize("format", formats.EXTENSIONS)
def test_photos_of_every_format_that_is_read_are_separated(limpid, tmp_path, tiny, format):
    source = tmp_path / f"photo.{formats.EXTENSIONS[format][0]}"
    if format == "HEIF":
        pytest.importorskip("pi_heif")
        source.write_bytes(HEIC["plain"])
    else:
        picture(source)
    done = limpid("separate", source, "-m", tiny, "--layers", "T", "--json")
    assert done.code == 0, done.err
    assert Path(json.loads(done.lines[0])["outputs"]["transmission"]).is_file()


@pytest.mark.parametrize("strict", [False, True])
def test_a_folder_says_what_it_holds_that_is_not_read_here(limpid, tmp_path, tiny, monkeypatch, strict):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    picture(tmp_path / "in/a.jfif")
    for place in ("b.heic", "c.HEIF", "d.nef"):
        (tmp_path / "in" / place).write_bytes(b"x")
    words = ("separate", tmp_path / "in", "-m", tiny, "-o", tmp_path / "out", "--overwrite", *(["--strict"] if strict else []))
    said = limpid(*words, "-v")
    assert said.code == strict
    assert "1 done, 0 skipped, 0 failed, 3 not read here: HEIC, raw" in said.err
    assert "d.nef: not read here: raw" in said.err
    summary = json.loads(limpid(*words, "--json").lines[-1])["summary"]
    assert summary == {"done": 1, "skipped": 0, "failed": 0, "not_read": {"HEIC": 2, "raw": 1}}


def test_one_bad_photo_leaves_the_others_done(limpid, tmp_path, tiny):
    picture(tmp_path / "in/good.png")
    (tmp_path / "in/bad.png").write_bytes(b"")
    done = limpid("separate", tmp_path / "in", "-o", tmp_path / "out", "-m", tiny)
    assert done.code == 1
    assert "bad.png" in done.err
    assert "Traceback" not in done.err
    assert names(tmp_path / "out") == ["good.reflection.png", "good.transmission.png"]


def test_strength_zero_is_the_photo_bit_for_bit(limpid, tmp_path, tiny):
    source = picture(tmp_path / "photo.png")
    assert limpid("separate", source, "-m", tiny, "--strength", 0).code == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "photo.transmission.png")), np.asarray(Image.open(source)))


def test_one_file_and_one_layer(limpid, photo, tmp_path, tiny):
    assert limpid("separate", photo, "-m", tiny, "-o", tmp_path / "clean.png").code == 0
    assert names(tmp_path) == ["clean.png", "photo.jpg"]
    assert Image.open(tmp_path / "clean.png").size == (40, 30)


def test_the_residual_is_written_only_when_asked_for(limpid, tmp_path, tiny):
    source = picture(tmp_path / "photo.png")
    assert limpid("separate", source, "-m", tiny, "--layers", "T,R,residual").code == 0
    layers = {name: np.asarray(Image.open(tmp_path / f"photo.{name}.png")).astype(float) for name in ("transmission", "reflection")}
    residual = 2 * (np.asarray(Image.open(tmp_path / "photo.residual.png")).astype(float) - 127.5)
    total = layers["transmission"] + layers["reflection"] + residual
    assert np.abs(total - np.asarray(Image.open(source))).max() <= 3  # three roundings, one of them doubled


def test_several_models_are_told_apart_by_their_labels(limpid, photo, tiny):
    done = limpid("separate", photo, "-m", tiny, "-m", f"other={tiny}", "--layers", "T")
    assert done.code == 0, done.err
    assert names(photo.parent) == ["photo.jpg", "photo.other.transmission.jpg", "photo.tiny.transmission.jpg"]


def test_existing_outputs_are_kept_unless_told_otherwise(limpid, photo, tiny):
    target = photo.with_suffix(".transmission.jpg")
    target.write_bytes(b"mine")
    refused = limpid("separate", photo, "-m", tiny)
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert target.read_bytes() == b"mine"
    assert not photo.with_suffix(".reflection.jpg").exists()
    assert limpid("separate", photo, "-m", tiny, "--skip-existing").code == 0
    assert target.read_bytes() == b"mine"
    assert photo.with_suffix(".reflection.jpg").exists()
    assert limpid("separate", photo, "-m", tiny, "--overwrite").code == 0
    assert Image.open(target).size == (40, 30)
    skipped = limpid("separate", photo, "-m", "nonsense.safetensors", "--skip-existing", "--json")
    assert json.loads(skipped.lines[-1]) == {"summary": {"done": 0, "skipped": 1, "failed": 0}}


def test_dry_run_says_how_and_writes_nothing(limpid, photo, tiny):
    done = limpid("separate", photo, "-m", tiny, "--dry-run")
    assert done.code == 0
    assert "40×30, whole, about" in done.err
    assert names(photo.parent) == ["photo.jpg"]


def test_a_small_budget_makes_tiles_and_says_so(limpid, tmp_path, tiny):
    source = picture(tmp_path / "large.png", size=(900, 700))
    done = limpid("separate", source, "-m", tiny, "--max-memory", "12MB", "--resolution", "full", "-v")
    assert done.code == 0, done.err
    assert "tiles of" in done.err


def test_jobs_give_the_same_bytes(limpid, tmp_path, tiny):
    for index in range(6):
        picture(tmp_path / f"in/{index}.png", seed=index, size=(40 + index, 30))
    assert limpid("separate", tmp_path / "in", "-m", tiny, "-o", tmp_path / "one").code == 0
    assert limpid("separate", tmp_path / "in", "-m", tiny, "-o", tmp_path / "four", "--jobs", 4).code == 0
    assert names(tmp_path / "one") == names(tmp_path / "four")
    for name in names(tmp_path / "one"):
        assert digest(tmp_path / "one" / name) == digest(tmp_path / "four" / name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--strength", "1.5"], "strength lies within 0…1"),
        (["--strength", "nan"], "strength lies within 0…1"),
        (["--layers", "T,shadow"], "no layer named 'shadow'"),
        (["--layers", "refection"], "did you mean 'reflection'"),
        (["--max-memory", "lots"], "write it like 600MB"),
        (["--tile", "7"], "auto, off or a side of at least"),
        (["--precision", "float8"], "no precision named 'float8'"),
        (["--overwrite", "--skip-existing"], "contradict"),
        (["--backbone-weights", "none"], "has no backbone"),
        (["--format", "heic"], "heic"),
        (["--json", "-o", "-"], "standard output cannot hold both"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(limpid, photo, tiny, options, message):
    done = limpid("separate", photo, "-m", tiny, *options)
    assert done.code == 2, done.err
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert names(photo.parent) == ["photo.jpg"]


@pytest.mark.parametrize(
    ("model", "code", "message"),
    [
        ("limpit", 2, "did you mean 'limpid'"),
        ("gone.safetensors", 1, "no such weight file"),
        ("photo.jpg", 1, "no safetensors file"),
    ],
)
def test_wrong_models(limpid, photo, monkeypatch, model, code, message):
    monkeypatch.chdir(photo.parent)
    done = limpid("separate", photo, "-m", model)
    assert done.code == code
    assert message in done.err
    assert names(photo.parent) == ["photo.jpg"]


@pytest.mark.parametrize("task", ["denoise", "deblur"])
def test_the_other_tasks_have_weights_of_their_own(limpid, photo, task):
    done = limpid(task, photo, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.lines[0])["model"] == f"limpid_{task}"
    assert Image.open(photo.with_suffix(".restored.jpg")).size == (40, 30)


def test_the_other_tasks_ask_for_a_model_of_theirs(limpid, photo, tiny):
    missing = limpid("separate", photo, "--task", "layers_3")
    assert missing.code == 1
    assert "no weights are shipped for the task 'layers_3' yet; name a file with --model" in missing.err
    wrong = limpid("deblur", photo, "-m", tiny)
    assert wrong.code == 2
    assert "does reflection, not deblur" in wrong.err
    assert names(photo.parent) == ["photo.jpg"]


def test_a_published_layout_runs_by_its_path(limpid, photo, tmp_path):
    network = create_model("nafnet", "tiny")
    state = {key.replace("attention.1", "sca.1"): value for key, value in network.state_dict().items()}
    torch.save({"params": state}, tmp_path / "net.pth")
    done = limpid("deblur", photo, "-m", tmp_path / "net.pth", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert names(tmp_path / "out") == ["photo.restored.jpg"]


def test_a_missing_device_names_those_that_are_there(limpid, photo, tiny):
    done = limpid("separate", photo, "-m", tiny, "--device", "tpu")
    assert done.code == 1
    assert "use one of: auto, " in done.err


def test_misspelt_photos_answer_with_the_nearest(limpid, photo):
    done = limpid("separate", photo.with_name("foto.jpg"))
    assert done.code == 2
    assert "photo.jpg" in done.err


def test_traceback_only_on_request(limpid, photo, tiny):
    photo.write_bytes(b"text")
    assert "Traceback" not in limpid("separate", photo, "-m", tiny).err
    with pytest.raises(Exception, match="photo.jpg"):
        limpid("separate", photo, "-m", tiny, "--traceback")


def command(*arguments, **settings):
    return subprocess.Popen(
        [sys.executable, "-m", "limpid", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **settings,
    )


def test_pipes(photo, tiny):
    process = command("separate", "-", "-o", "-", "-m", tiny)
    out, err = process.communicate(photo.read_bytes())
    assert process.returncode == 0, err
    assert Image.open(io.BytesIO(out)).format == "JPEG"
    assert Image.open(io.BytesIO(out)).size == (40, 30)


def test_a_closed_pipe_ends_quietly(tmp_path, tiny):
    for index in range(3):
        picture(tmp_path / f"in/{index}.png")
    process = command("separate", tmp_path / "in", "-m", tiny, "-o", tmp_path / "out")
    process.stdout.close()
    process.wait(60)
    assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_batch_leaves_whole_files_only(tmp_path, tiny, number, code):
    for index in range(400):
        picture(tmp_path / f"in/{index}.png", size=(300, 200))
    process = command("separate", tmp_path / "in", "-m", tiny, "-o", tmp_path / "out", env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").rglob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert b"Traceback" not in err
    written = names(tmp_path / "out")
    assert 0 < len(written) < 800
    for name in written:
        Image.open(tmp_path / "out" / name).load()  # raises when half-written; a stray .part file would too
