"""A small training for tests: photos made of dead leaves, a recipe on the smallest network, and the command that runs it."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from limpid.layers.pixels import quantise
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator

RECIPE = {
    "name": "sample",
    "seed": 1,
    "model": {"name": "limpid", "size": "tiny"},
    "data": {
        "train": [{"name": "mixture", "transmission": "$PHOTOS", "mixtures": [{"name": "subtractive"}]}],
        "augment": {"window": 40, "stretch": 32},
        "validate": [
            {
                "name": "mixture",
                "transmission": "$HELD",
                "mixtures": [{"name": "subtractive"}],
                "augment": {"window": 40, "stretch": 32, "flip": 0.0},
                "count": 2,
            }
        ],
        "epoch": 8,
        "batch": 2,
        "workers": 0,
    },
    "losses": [{"name": "l1", "on": {"transmission": 1, "reflection": 0.5}}],
    "optimiser": {"name": "adamw", "rate": 1e-3, "decay": 1e-4},
    "schedule": {"name": "cosine", "warmup": 2, "floor": 0.01},
    "train": {"epochs": 2, "ema": 0.9, "clip": 1.0, "threads": 1},
    "log": {"every": 1, "images": 0, "save_every": 0, "curves": False},
}
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
"""The smallest denoiser, by plain gradient descent."""


def photos(folder: Path, count: int, *, side: int = 72, seed: int = 0, colours: str = "uniform") -> Path:
    """Pictures of dead leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture = chart(Chart(colours=colours), (side, side + 8), generator(seed, number, "sample"))
        Image.fromarray(quantise(picture, np.uint8)).save(folder / f"{seed}_{number}.png")
    return folder


def recipe(path: Path, *changes: dict) -> Path:
    """``RECIPE`` with keys of data, train and log and whole other sections replaced, written to ``path``."""
    content = {**RECIPE}
    for change in changes:
        for key, value in change.items():
            content[key] = {**content[key], **value} if key in ("data", "train", "log") else value
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def command(*words: object) -> list[str]:
    """``limpid train WORDS`` in another process."""
    return [sys.executable, "-m", "limpid", "train", *map(str, words)]


def start(*words: object, cwd: Path) -> "subprocess.Popen[str]":
    """Start ``limpid train WORDS``; it computes with one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command(*words), cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(*words: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run ``limpid train WORDS`` to its end."""
    with start(*words, cwd=cwd) as process:
        out, err = process.communicate(timeout=400)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def curve(run: Path) -> list[float]:
    """The losses of a run, step by step."""
    with (run / "metrics.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def state(run: Path) -> dict:
    """The state that a run left."""
    return torch.load(run / "last.pt", weights_only=True)


def differences(one: object, other: object, path: str = "") -> list[str]:
    """Places where two states differ by a bit."""
    if isinstance(one, torch.Tensor):
        return [] if isinstance(other, torch.Tensor) and torch.equal(one, other) else [path]
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [place for key in one for place in differences(one[key], other[key], f"{path}.{key}")]
    return [] if one == other or path.endswith((".logger", ".seconds", ".waited")) else [path]
