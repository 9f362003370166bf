"""Two processes train as one with twice the batch."""

import csv

import pytest

from training_samples import finish, recipe, state

DENOISE = {
    "model": {"name": "stacked", "size": "tiny"},
    "data": {
        "train": [{"name": "degraded", "root": "$PHOTOS", "degradations": [{"name": "gaussian_noise", "sigma": [10, 50]}]}],
        "augment": {"crop": 32},
        "validate": [{"name": "degraded", "root": "$HELD", "degradations": [{"name": "gaussian_noise", "sigma": [25, 25]}]}],
        "epoch": 40,
    },
    "losses": [{"name": "mse"}],
    "optimiser": {"name": "sgd", "rate": 0.05, "momentum": 0.9},
    "schedule": {"name": "constant"},
    "train": {"epochs": 1},
}


def curve(run):
    with (run / "metrics.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


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
    refused = finish(text, *given, "data.batch=1", "--name", "two", "--resume", cwd=tmp_path)
    assert refused.returncode == 2
    assert "processes: 2 then, 1 now" in refused.stderr
