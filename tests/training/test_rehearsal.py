"""What would fail later fails before the first step, in one line, and leaves nothing behind."""

import os
import re

import pytest

from limpid.errors import DataError, DeviceError, UnknownNameError, UsageError
from limpid.recipe.load import load
from limpid.training.options import TrainOptions
from limpid.training.rehearsal import check_device
from limpid.training.trainer import run_recipe
from limpid.training.validation import ScoredSet
from training_samples import photos, recipe, start, state

MIXED = {"name": "degraded", "root": "$PHOTOS", "degradations": [{"name": "gaussian_noise"}]}
DENOISE = {"model": {"name": "stacked", "size": "tiny"}, "losses": [{"name": "mse"}]}


@pytest.fixture
def run(tmp_path, given):
    def go(*changes, overrides=(), **wishes):
        text = recipe(tmp_path / "sample.yaml", *changes)
        known = [one for one in given if f"${one.partition('=')[0]}" in text.read_text()]
        loaded = load(text, [*known, *overrides])
        return run_recipe(loaded, tmp_path / "run", TrainOptions(quiet=True, **{"device": "cpu", "max_steps": 1, **wishes}))

    return go


def test_pictures_that_are_not_there(run, tmp_path):
    with pytest.raises(DataError, match=r"log\.photos: .*nowhere"):
        run({"log": {"images": 1, "photos": "nowhere"}})
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"log\.photos: .*empty: no photo in this folder"):
        run({"log": {"images": 1, "photos": str(tmp_path / "empty")}})
    assert not (tmp_path / "run").exists()


def test_devices_that_are_not_there(run, monkeypatch):
    with pytest.raises(UnknownNameError, match="did you mean 'cuda'"):
        run(device="cuda:1")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceError, match="'cuda' is not available"):
        run(device="cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    check_device("cuda", 2)
    with pytest.raises(DeviceError, match=r"train\.devices asks for 3 of cuda, this machine has 2"):
        check_device("gpu", 3)


@pytest.mark.parametrize("augment", [None, {"short_side": [30, 40]}, {"width": [40, 50]}, {"square": 0.5}])
def test_photos_that_make_no_batch(run, tmp_path, augment):
    folder = photos(tmp_path / "mixed", 2)
    photos(folder, 2, side=64, seed=1)
    data = {"data": {"train": [MIXED], "augment": augment, "validate": [{**MIXED, "count": 1}], "batch": 2}}
    given = [f"PHOTOS={folder}", f"data.validate.0.root={photos(tmp_path / 'apart', 1, seed=5)}"]
    with pytest.raises(DataError, match=r"data\.train\.0 gives photos of several sizes .*batch of 2; set data\.augment\.crop"):
        run(DENOISE, data, overrides=given)
    run(DENOISE, data, overrides=[*given, "data.batch=1"])


def test_sources_of_two_sizes_make_no_batch(run):
    one = {"name": "mixture", "transmission": "$PHOTOS", "mixtures": [{"name": "subtractive"}]}
    with pytest.raises(DataError, match=r"data\.train\.0 32×32, data\.train\.1 16×16"):
        run({"data": {"train": [one, {**one, "augment": {"crop": 16}}]}})


@pytest.mark.parametrize(("side", "epoch"), [("24", 1), ("{0: 32, 1: 24}", 2)])
def test_sizes_that_the_network_does_not_take(run, side, epoch):
    with pytest.raises(DataError, match=rf"24×24 in epoch {epoch}; this network trains on multiples of 16 pixels: .*crop=16"):
        run(overrides=[f"data.augment.stretch={side}"])


def test_crops_that_change_in_the_middle_of_a_batch(run):
    with pytest.raises(DataError, match=r"an epoch of 7 photos is no multiple of data\.batch 2; set data\.epoch=6"):
        run(overrides=["data.augment.stretch={0: 32, 1: 16}", "data.epoch=7"])


def test_a_frozen_part_that_would_stay_random(run, tmp_path):
    with pytest.raises(UsageError, match=r"train\.frozen holds intro, whose weights would stay random \(intro\.weight\)"):
        run({"train": {"frozen": ["intro"]}})
    run()
    (tmp_path / "run").rename(tmp_path / "before")
    assert run({"train": {"frozen": ["intro"]}}, init=tmp_path / "before/last.safetensors") == 0


def test_early_stopping_without_scores(run):
    with pytest.raises(UsageError, match=r"train\.patience .* data\.validate"):
        run({"train": {"patience": 2}, "data": {"validate": []}})


def test_scores_that_cannot_be_computed(run, tmp_path, monkeypatch):
    def fail(*_):
        raise DataError("no such score")

    monkeypatch.setattr(ScoredSet, "score", fail)
    with pytest.raises(DataError, match="no such score"):
        run()
    assert not (tmp_path / "run/last.pt").exists()


@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the peak of one child is told on POSIX alone")
def test_the_dry_run_foretells_the_memory_within_a_fifth(tmp_path):
    photos(tmp_path / "train", 6), photos(tmp_path / "held", 4, seed=1)
    wide = {"data": {"augment": {"window": 40, "stretch": 192}, "batch": 6, "epoch": 24}, "train": {"epochs": 1}}
    words = (recipe(tmp_path / "sample.yaml", wide), "PHOTOS=train", "HELD=held", "--device", "cpu")
    told = peak = ""
    for more in (("--dry-run",), ()):
        process = start(*words, *more, cwd=tmp_path)
        told = told or process.communicate(timeout=200)[0] if more else told
        if not more:
            peak = os.wait4(process.pid, 0)[2].ru_maxrss * 1024
    figure = float(re.search(r"memory +([\d.]+) MB", told)[1]) * 1e6
    assert 0.8 < figure / peak < 1.2
    assert state(tmp_path / "runs/sample")["step"] == 4
