"""The training script: it learns, stops and resumes as if nothing had happened, and publishes weights that load."""

import csv
from dataclasses import replace

import pytest
import torch

from limpid import load
from limpid.errors import DataError
from limpid.training.publish import publish
from limpid.training.supervised import Plan, Run, load_photos, rate_at, train
from pictures import picture

TINY = Plan(size="tiny", steps=6, batch=2, side=32, warmup=2, validate=3, workers=0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for index in range(4):
        picture(root / f"train/{index}.jpg", size=(64, 48), seed=index)
        picture(root / f"held_out/{index}.png", size=(64, 48), seed=10 + index)
    return root / "train", root / "held_out"


def weights(run):
    return torch.load(run / "last.pt", weights_only=True)


def test_a_resumed_run_equals_an_uninterrupted_one(folders, tmp_path):
    train(*folders, tmp_path / "once", TINY)
    train(*folders, tmp_path / "twice", replace(TINY, minutes=-1.0))  # stops after its first step
    assert weights(tmp_path / "twice")["step"] == 1
    train(*folders, tmp_path / "twice", TINY)
    once, twice = weights(tmp_path / "once"), weights(tmp_path / "twice")
    assert once["step"] == twice["step"] == TINY.steps
    for kind in ("network", "average"):
        assert all(torch.equal(once[kind][name], twice[kind][name]) for name in once[kind])
    rows = list(csv.reader((tmp_path / "once" / "log.csv").open()))
    assert [int(row[0]) for row in rows] == [3, 6]


def test_training_moves_every_weight(folders, tmp_path):
    before = Run(TINY, tmp_path / "fresh").network.state_dict()
    train(*folders, tmp_path / "run", TINY)
    after = weights(tmp_path / "run")["network"]
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_the_rate_warms_up_and_falls():
    rates = [rate_at(step, Plan()) for step in range(Plan().steps + 1)]
    assert rates[0] == pytest.approx(1e-3 / 500)
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(1e-6)
    assert rates[500:] == sorted(rates[500:], reverse=True)


def test_published_weights_load_and_run(folders, tmp_path):
    train(*folders, tmp_path / "run", TINY)
    publish(tmp_path / "run", tmp_path / "net.safetensors")
    separator = load(tmp_path / "net.safetensors", precision="float32")
    assert separator(torch.rand(3, 20, 30)).transmission.shape == (3, 20, 30)
    average = weights(tmp_path / "run")["average"]
    loaded = separator.network.state_dict()
    assert all(torch.allclose(loaded[name], average[name], rtol=1e-3, atol=1e-4) for name in average)


def test_empty_and_broken_folders_are_named(tmp_path):
    with pytest.raises(DataError, match="holds no .jpg or .png photo"):
        load_photos(tmp_path)
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    with pytest.raises(DataError, match="bad.jpg cannot be decoded"):
        load_photos(tmp_path)
    with pytest.raises(DataError, match="train first"):
        publish(tmp_path, tmp_path / "net.safetensors")
