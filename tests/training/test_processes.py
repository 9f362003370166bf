"""Two processes train as one with twice the batch."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from limpid.data.loader import Places
from limpid.errors import UsageError
from limpid.recipe.load import dump, load
from limpid.recipe.models import Train
from limpid.training.processes import LostProcessError, noticing_lost_ones, per_step, processes, shared
from limpid.training.same_run import check_same
from training_samples import DENOISE, curve, finish, recipe, start, state


@pytest.mark.timeout(900)  # several processes, which a busy machine keeps waiting
def test_two_processes_follow_one_with_twice_the_batch(tmp_path, given):
    text = recipe(tmp_path / "denoise.yaml", DENOISE)
    one = finish(text, *given, "data.batch=2", "--name", "one", cwd=tmp_path)
    assert one.returncode == 0, one.stderr
    two = finish(text, *given, "data.batch=1", "--devices", 2, "--device", "cpu", "--name", "two", cwd=tmp_path)
    assert two.returncode == 0, two.stderr
    curves = [curve(tmp_path / "runs" / name) for name in ("one", "two")]
    assert len(curves[0]) == len(curves[1]) == 20
    assert curves[1] == pytest.approx(curves[0], abs=1e-4)
    assert min(curves[0][-5:]) < 0.9 * max(curves[0][:5])
    assert state(tmp_path / "runs/two")["world"] == 2
    more = finish(text, *given, "data.batch=1", "--name", "two", "--resume", cwd=tmp_path)
    assert more.returncode == 0, more.stderr
    assert "a step keeps its 2 photos: data.batch=1 train.accumulate=2" in more.stderr
    assert state(tmp_path / "runs/two")["photos"] == 2
    refused = finish(text, *given, "data.batch=1", "--devices", 3, "--device", "cpu", "--name", "two", "--resume", cwd=tmp_path)
    assert refused.returncode == 2
    assert "a step of this run has 2 photos, which 3 processes cannot share; take 1, 2 processes" in refused.stderr


def test_a_step_keeps_its_photos_with_any_number_of_processes(tmp_path):
    wanted = load(recipe(tmp_path / "sample.yaml"), ["data.batch=3", "train.accumulate=4", "PHOTOS=x", "HELD=x"]).recipe
    for world in (1, 2, 3, 4, 6, 12):
        mine = shared(wanted, 12, world)
        assert per_step(mine, world) == 12
        assert mine.data.batch <= 3
        drawn = [
            list(Places(start_step=1, items=60, batch=mine.data.batch, rank=rank, world=world, accumulate=mine.train.accumulate))
            for rank in range(world)
        ]
        first = sorted(item for places in drawn for items in places[: mine.train.accumulate] for item in items)
        assert first == list(range(12, 24))
    with pytest.raises(UsageError, match="take 1, 2, 3, 4, 6, 12 processes"):
        shared(wanted, 12, 5)


def test_what_a_run_may_change_when_it_goes_on(tmp_path):
    def asked(*words):
        return load(recipe(tmp_path / "sample.yaml"), [*words, "PHOTOS=x", "HELD=x"]).recipe

    begun = asked("data.batch=1", "train.devices=2")
    run = {"recipe": dump(begun), "world": 2, "photos": 2}

    def batch(wanted, world, *, force=False):
        same = check_same(run, wanted, {}, world=world, force=force)
        return same.data.batch, same.train.accumulate

    assert batch(begun, 2) == (1, 1)
    assert batch(asked("data.batch=1"), 1) == (1, 2)
    assert batch(asked("data.batch=2"), 1) == (2, 1)
    for words, world in ((["data.batch=4"], 1), (["data.batch=2", "train.devices=2"], 2), (["data.batch=1", "train.clip=3"], 1)):
        with pytest.raises(UsageError, match="started with another recipe"):
            batch(asked(*words), world)
    assert batch(asked("data.batch=4"), 1, force=True) == (4, 1)


def test_a_lost_process_is_one_line_and_other_errors_are_themselves():
    with pytest.raises(LostProcessError, match="go on with --resume"), noticing_lost_ones(2):
        raise RuntimeError("[../third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer")
    for world, text in ((1, "gloo"), (2, "out of memory")):
        with pytest.raises(RuntimeError, match=text), noticing_lost_ones(world):
            raise RuntimeError(text)


def test_torchrun_says_how_many_processes_there_are(monkeypatch):
    assert processes(Train(devices=2, nodes=3)) == (2, 3)
    monkeypatch.setattr("torch.distributed.is_torchelastic_launched", lambda: True)
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert processes(Train()) == (4, 2)


@pytest.mark.exhaustive
def test_torchrun_starts_a_training(tmp_path, given):
    text = recipe(tmp_path / "denoise.yaml", DENOISE)
    words = ["-m", "limpid", "train", text, *given, "data.batch=1", "--device", "cpu", "--name", "run"]
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *map(str, words)]
    done = subprocess.run(started, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert state(tmp_path / "runs/run")["world"] == 2
    assert len(curve(tmp_path / "runs/run")) == 20


@pytest.mark.exhaustive
@pytest.mark.parametrize("victim", ["first", "second"])
def test_a_run_goes_on_with_one_process_after_one_of_two_is_killed(tmp_path, given, victim):
    text = recipe(tmp_path / "denoise.yaml", {**DENOISE, "train": {"epochs": 2}})
    whole = finish(text, *given, "data.batch=2", "--name", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    run = tmp_path / "runs/cut"
    with start(text, *given, "data.batch=1", "--devices", 2, "--device", "cpu", "--name", "cut", cwd=tmp_path) as process:
        kill_one(process, run, victim)
        _, said = process.communicate(timeout=120)
    assert process.returncode not in (0, None)
    if victim == "second":
        assert "another process of this run died" in said
    assert state(run)["step"] >= 20
    resumed = finish(text, *given, "data.batch=2", "--name", "cut", "--resume", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert curve(run) == pytest.approx(curve(tmp_path / "runs/whole"), abs=1e-4)


def kill_one(process, run, victim):
    """Kill the process that writes, or the other, in the second epoch."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if (run / "metrics.csv").is_file() and len(curve(run)) > 21:
            others = psutil.Process(process.pid).children()
            os.kill(process.pid if victim == "first" else others[0].pid, signal.SIGKILL)
            if victim == "first":
                psutil.wait_procs(others, timeout=60)
            return
        time.sleep(0.02)
    raise AssertionError("the second epoch was not seen")
