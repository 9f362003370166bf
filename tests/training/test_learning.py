"""Learning is real: small networks beat what a straight line or nobody at all would do, on pairs that they have not seen."""

import csv

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from limpid.metrics.psnr_joint import psnr_joint
from limpid.recipe.load import load
from limpid.training.assemble import scored_sets
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from training_samples import photos, recipe


def bold(folder, count, seed):
    """Boxes of eight dark colours: each channel is one of two levels."""
    folder.mkdir()
    draw = np.random.default_rng(seed)
    for number in range(count):
        picture = np.empty((96, 96, 3), np.uint8)
        picture[:] = draw.choice([15, 130], 3)
        for _ in range(60):
            height, width = draw.integers(4, 28, 2)
            top, left = draw.integers(0, 96 - height), draw.integers(0, 96 - width)
            picture[top : top + height, left : left + width] = draw.choice([15, 130], 3)
        Image.fromarray(picture).save(folder / f"{seed}_{number}.png")
    return folder


def smooth(folder, count, seed):
    """What an unlit room far out of focus mirrors."""
    folder.mkdir()
    draw = np.random.default_rng(seed)
    for number in range(count):
        grid = draw.integers(0, 160, (3, 3, 3), dtype=np.uint8)
        Image.fromarray(cv2.resize(grid, (96, 96), interpolation=cv2.INTER_CUBIC)).save(folder / f"s{seed}_{number}.png")
    return folder


def validations(run):
    with (run / "epochs.csv").open() as file:
        return [(float(row["validation/psnr"]), float(row["validation/input_psnr"])) for row in csv.DictReader(file)]


def straight(loaded):
    """PSNR of the best gain and offset of the input over all validation pairs together."""
    (scored,) = scored_sets(loaded)
    pairs = [pair for part in scored.parts for pair in part.pairs()]
    seen = torch.cat([pair.input.flatten() for pair in pairs])
    wanted = torch.cat([pair.layers["transmission"].flatten() for pair in pairs])
    gain, offset = torch.linalg.lstsq(torch.stack([seen, torch.ones_like(seen)], 1), wanted).solution
    return np.mean([psnr_joint(gain * pair.input + offset, pair.layers["transmission"]) for pair in pairs])


@pytest.mark.slow
def test_supervised_training_beats_the_best_gain_and_offset_by_two_decibels(tmp_path):
    def source(kind, **more):
        behind, mirrored = (str(make(tmp_path / f"{kind}{place}", count, seed)) for place, make, count, seed in makers[kind])
        laws = [{"name": "subtractive", "border": "reflect"}]
        return [{"name": "mixture", "transmission": behind, "reflection": mirrored, "partner": "random", "mixtures": laws, **more}]

    makers = {"seen": ((0, bold, 120, 1), (1, smooth, 120, 1)), "held": ((0, bold, 12, 2), (1, smooth, 12, 2))}
    window = {"window": 48, "stretch": 48}
    changes = {
        "data": {
            "train": source("seen", keep=True),
            "augment": window,
            "validate": source("held", augment={**window, "flip": 0.0}, count=12),
            "epoch": 1600,
            "batch": 8,
        },
        "losses": [{"name": name, "on": {"transmission": 1, "reflection": 0.5}} for name in ("l1", "gradient")],
        "optimiser": {"name": "adamw", "rate": 4e-3, "betas": [0.9, 0.99]},
        "schedule": {"name": "cosine", "warmup": 20, "floor": 0.01},
        "train": {"epochs": 4, "ema": 0.98},
        "log": {"every": 100},
    }
    loaded = load(recipe(tmp_path / "learn.yaml", changes))
    run_recipe(loaded, tmp_path / "run", TrainOptions(quiet=True))
    assert validations(tmp_path / "run")[-1][0] > straight(loaded) + 2


@pytest.mark.slow
def test_adversarial_training_stays_in_balance(tmp_path):
    photos(tmp_path / "train", 24), photos(tmp_path / "held", 8, seed=1)
    window = {"window": 64, "stretch": 48}
    laws = {"name": "mixture", "partner": "random", "mixtures": [{"name": "subtractive", "border": "reflect"}]}
    changes = {
        "procedure": {"name": "adversarial", "discriminator": "patch", "discriminator_first": False},
        "discriminator": {"name": "adam", "rate": 1e-4, "betas": [0.5, 0.999]},
        "losses": [
            {"name": "l1", "on": {"transmission": 1, "reflection": 0.5}},
            {"name": "adversarial", "weight": 0.01, "form": "least_squares", "label": "adv"},
        ],
        "data": {
            "train": [{**laws, "transmission": "$PHOTOS", "keep": True}],
            "augment": window,
            "validate": [{**laws, "transmission": "$HELD", "augment": {**window, "flip": 0.0}}],
            "epoch": 1200,
            "batch": 4,
        },
        "optimiser": {"name": "adamw", "rate": 2e-3, "betas": [0.9, 0.99]},
        "train": {"epochs": 1, "ema": 0.98},
    }
    loaded = load(recipe(tmp_path / "gan.yaml", changes), [f"PHOTOS={tmp_path}/train", f"HELD={tmp_path}/held"])
    run_recipe(loaded, tmp_path / "run", TrainOptions(quiet=True))
    with (tmp_path / "run/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 300
    values = np.array([[float(row[name]) for name in ("loss", "l1", "adv")] for row in rows])
    assert np.isfinite(values).all()
    assert values[:, 2].min() > 0.05
    assert values[:, 2].max() < 5
    score, untouched = validations(tmp_path / "run")[-1]
    assert score > untouched
