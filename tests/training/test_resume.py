"""A run that is killed, stopped or limited goes on as if nothing had happened."""

import random
import signal
import time

import pytest

from limpid.recipe.load import load
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from limpid.training.validation import ScoredSet
from training_samples import differences, finish, recipe, start, state

GAN = {
    "procedure": {"name": "adversarial", "discriminator": "conditional_patch", "discriminator_every": 2},
    "discriminator": {"name": "adam", "rate": 1e-4, "betas": [0.5, 0.999]},
    "losses": [
        {"name": "l1", "on": {"transmission": 1, "reflection": 0.5}},
        {"name": "adversarial", "weight": {0: 0, 1: 0.01}, "form": "vanilla"},
    ],
    "data": {"workers": 1, "epoch": 20},
    "train": {"epochs": 3},
}
"""Workers, average, discriminator with a warm-up, schedule: 30 steps."""


def rows(run, *, columns=("step", "epoch", "loss", "l1", "adversarial", "discriminator", "lr")):
    import csv

    with (run / "metrics.csv").open() as file:
        return [tuple(row.get(column) for column in columns) for row in csv.DictReader(file)]


@pytest.mark.timeout(900)  # several processes, which a busy machine keeps waiting
def test_killed_runs_end_where_an_uninterrupted_one_ends(tmp_path, given):
    text = recipe(tmp_path / "gan.yaml", GAN)
    whole = finish(text, *given, "--name", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    chance = random.Random(7)
    for attempt in range(5):
        resume = ["--resume"] if attempt else []
        with start(text, *given, "--name", "broken", *resume, cwd=tmp_path) as process:
            log = tmp_path / "runs/broken/train.log"
            before = log.stat().st_size if log.exists() else 0
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and process.poll() is None:
                if log.exists() and log.stat().st_size > before:
                    break
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.6))
            process.kill()
            process.communicate()
        assert (tmp_path / "runs/broken/recipe.yaml").is_file()
    last = finish(text, *given, "--name", "broken", "--resume", cwd=tmp_path)
    assert last.returncode == 0, last.stderr
    runs = tmp_path / "runs"
    apart = {"logger": 0, "recipe": 0}  # which holds the name
    assert differences({**state(runs / "whole"), **apart}, {**state(runs / "broken"), **apart}) == []
    assert rows(runs / "broken") == rows(runs / "whole")
    assert len(rows(runs / "whole")) == 30


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_the_step_and_saves(tmp_path, given, number, code):
    text = recipe(tmp_path / "long.yaml", {"train": {"epochs": 2000}})
    with start(text, *given, cwd=tmp_path) as process:
        log = tmp_path / "runs/sample/train.log"
        while process.poll() is None and not (log.exists() and "step 3/" in log.read_text()):
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert 3 <= state(tmp_path / "runs/sample")["step"] < 2000
    assert "Traceback" not in err


def test_limits_stop_a_run_that_goes_on_bit_for_bit(tmp_path, given):
    text = recipe(tmp_path / "sample.yaml")
    loaded = load(text, given)
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert run_recipe(loaded, whole, TrainOptions(quiet=True)) == 0
    run_recipe(loaded, part, TrainOptions(max_steps=3, quiet=True))
    assert state(part)["step"] == 3
    run_recipe(loaded, part, TrainOptions(resume=True, max_minutes=0.0, quiet=True))
    assert state(part)["step"] == 4
    run_recipe(loaded, part, TrainOptions(resume=True, quiet=True))
    assert differences({**state(whole), "logger": 0}, {**state(part), "logger": 0}) == []
    assert rows(whole) == rows(part)
    assert (whole / "best.json").read_text() == (part / "best.json").read_text()


def test_a_signal_while_an_epoch_is_scored_leaves_the_scores_to_the_resumed_run(tmp_path, given, monkeypatch):
    loaded = load(recipe(tmp_path / "sample.yaml", {"schedule": {"name": "plateau", "factor": 0.5, "patience": 0}}), given)
    whole, part = tmp_path / "whole", tmp_path / "part"
    run_recipe(loaded, whole, TrainOptions(quiet=True))
    look = ScoredSet.score
    with monkeypatch.context() as patch:
        patch.setattr(ScoredSet, "score", lambda *words: (len(words) > 2 and signal.raise_signal(signal.SIGTERM)) or look(*words))
        assert run_recipe(loaded, part, TrainOptions(quiet=True)) == 143
    assert (state(part)["step"], state(part)["due"]) == (4, 0)
    assert not (part / "best.json").exists()
    assert run_recipe(loaded, part, TrainOptions(resume=True, quiet=True)) == 0
    assert differences({**state(whole), "logger": 0}, {**state(part), "logger": 0}) == []
    drop = lambda run: [line.split(",")[:-3] for line in (run / "epochs.csv").read_text().splitlines()]  # noqa: E731
    assert drop(whole) == drop(part)
    assert (whole / "best.json").read_text() == (part / "best.json").read_text()
