"""The golden cases beside the checkout (DESIGN §7): what a published file holds, and what its network answers."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parents[2] / "shared" / "golden"


@dataclass(frozen=True)
class Case:
    shapes: dict
    tensors: dict
    outputs: dict


def shapes(name):
    manifest = json.loads((FOLDER / f"{name}.json").read_text())["state_dict"]
    return {key: tuple(shape) for key, shape in manifest.items()}


def names():
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def case(name):
    spec = importlib.util.spec_from_file_location("golden_fill", FOLDER / "fill.py")
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    known = shapes(name)
    tensors = fill.fill_state_dict({key: torch.empty(shape) for key, shape in known.items()})
    with np.load(FOLDER / f"{name}.npz") as arrays:
        outputs = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
    return Case(shapes=known, tensors=tensors, outputs=outputs)
