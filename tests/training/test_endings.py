"""However a run ends, weights are left, a line says where it stands, and what can be resumed from is saved."""

import json
import signal

import pytest
import torch

from limpid.data.stream import Stream
from limpid.errors import DataError
from limpid.losses.l1 import L1, l1
from limpid.recipe.load import load
from limpid.runtime.load import load as load_weights
from limpid.training.loop import NotFiniteError
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from limpid.training.validation import ScoredSet
from training_samples import differences, recipe, state

ONE_TERM = {"losses": [{"name": "l1"}]}
GAN = {
    "procedure": {"name": "adversarial", "discriminator": "conditional_patch", "discriminator_first": True},
    "discriminator": {"name": "adam", "rate": 1e-4},
    "losses": [{"name": "l1"}, {"name": "adversarial", "weight": 0.01}],
}


@pytest.fixture
def run(tmp_path, given):
    def go(*changes, name="run", overrides=(), **wishes):
        loaded = load(recipe(tmp_path / "sample.yaml", *changes), [*given, *overrides])
        return run_recipe(loaded, tmp_path / name, TrainOptions(quiet=True, device="cpu", **wishes))

    return go


def log(tmp_path, name="run"):
    return (tmp_path / name / "train.log").read_text()


@pytest.mark.parametrize(
    ("wishes", "line"),
    [
        ({}, "finished: step 8 of 8, epoch 2 of 2 done; best weights"),
        ({"max_steps": 1}, "stopped by --max-steps: step 1 of 8, epoch 0 of 2 done; last weights"),
        ({"max_minutes": 0.0}, "stopped by --max-minutes: step 1 of 8"),
    ],
)
def test_limits_leave_weights_and_say_where_the_run_stands(run, tmp_path, wishes, line):
    run(**wishes)
    assert line in log(tmp_path)
    assert ("go on with `limpid train --resume" in log(tmp_path)) == bool(wishes)
    assert load_weights(tmp_path / "run")(torch.rand(3, 33, 47)).transmission.shape == (3, 33, 47)


def test_a_signal_leaves_weights_too(run, tmp_path, monkeypatch):
    monkeypatch.setattr(L1, "forward", lambda *layers: signal.raise_signal(signal.SIGINT) or l1(*layers[1:]))
    assert run(ONE_TERM) == 130
    assert "stopped by a signal: step 1 of 8" in log(tmp_path)
    assert (tmp_path / "run/last.safetensors").is_file()


@pytest.mark.parametrize("fails", ["scores", "data"])
def test_an_error_leaves_a_state_that_goes_on_as_if_nothing_had_happened(run, tmp_path, monkeypatch, fails):
    schedule = {"schedule": {"name": "plateau", "factor": 0.5, "patience": 0}}
    run(schedule, name="whole")

    def fail(*words):
        if fails == "data" and words[1] != 10 or fails == "scores" and len(words) < 3:
            return look(*words)
        raise DataError("a disk broke")

    owner, name = (ScoredSet, "score") if fails == "scores" else (Stream, "__getitem__")
    look = getattr(owner, name)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        with pytest.raises(DataError, match="a disk broke"):
            run(schedule)
    left = state(tmp_path / "run")
    assert (left["step"], left["due"]) == ((4, 0) if fails == "scores" else (5, None))
    assert f"failed at step {left['step']} (a disk broke)" in log(tmp_path)
    assert (tmp_path / "run/last.safetensors").is_file()
    run(schedule, resume=True)
    assert differences({**state(tmp_path / "whole"), "logger": 0}, {**state(tmp_path / "run"), "logger": 0}) == []


def test_a_state_between_the_turns_of_a_step_is_not_saved(run, tmp_path, monkeypatch):
    run(GAN, name="whole")
    calls = []

    def fail(self, *layers):
        calls.append(0)
        if len(calls) == 3:
            raise RuntimeError("after the discriminator has moved")
        return l1(*layers)

    with monkeypatch.context() as patch:
        patch.setattr(L1, "forward", fail)
        with pytest.raises(RuntimeError, match="has moved"):
            run(GAN)
    assert state(tmp_path / "run")["step"] == 0
    assert (tmp_path / "run/last.safetensors").is_file()
    run(GAN, resume=True)
    assert differences({**state(tmp_path / "whole"), "logger": 0}, {**state(tmp_path / "run"), "logger": 0}) == []


def test_a_diverged_run_says_so_and_again_when_it_goes_on(run, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(L1, "forward", lambda *layers: l1(*layers[1:]) * float("nan"))
        with pytest.raises(NotFiniteError):
            run(ONE_TERM, {"train": {"epochs": 5}})
    assert "diverged at step 10" in log(tmp_path)
    assert "10 steps were left out" in log(tmp_path)
    assert state(tmp_path / "run")["ended"].startswith("diverged at step 10")
    load_weights(tmp_path / "run")
    run(ONE_TERM, {"train": {"epochs": 5}}, resume=True, max_steps=11)
    assert "goes on although it diverged at step 10" in log(tmp_path)


def test_a_run_ends_early_when_no_epoch_is_better(run, tmp_path):
    changes = {"train": {"epochs": 9, "patience": 2}, "optimiser": {"name": "sgd", "rate": 0.0}}
    assert run(changes) == 0
    assert state(tmp_path / "run")["step"] == 12
    assert "stopped early, no epoch was better for 2 (train.patience): step 12 of 36" in log(tmp_path)
    run(changes, resume=True)
    assert state(tmp_path / "run")["step"] == 12
    run(changes, resume=True, overrides=["train.patience=4"])
    assert state(tmp_path / "run")["step"] == 20


def test_the_folder_of_a_run_stands_for_its_best_weights(run, tmp_path):
    run(overrides=["log.save_every=1"])
    listed = json.loads((tmp_path / "run/best.json").read_text())
    for first in (listed, listed[::-1]):
        (tmp_path / "run/best.json").write_text(json.dumps(first))
        assert load_weights(tmp_path / "run").sha256 == load_weights(tmp_path / "run" / first[0]["file"]).sha256
