"""The golden cases (DESIGN §7): what a published file holds, and what its network answers."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from golden.fill import fill_state_dict

FOLDER = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Case:
    """``tensors``: the filled content of the published file; ``arrays``: the photo (``input``) and what the network made of it."""

    shapes: dict
    tensors: dict
    arrays: dict


def names():
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def shapes(name):
    manifest = json.loads((FOLDER / f"{name}.json").read_text())["state_dict"]
    return {key: tuple(shape) for key, shape in manifest.items()}


def case(name):
    known = shapes(name)
    kinds = {key: torch.int64 if key.endswith("num_batches_tracked") else torch.float32 for key in known}
    tensors = fill_state_dict({key: torch.zeros(shape, dtype=kinds[key]) for key, shape in known.items()})
    with np.load(FOLDER / f"{name}.npz") as stored:
        arrays = {key: torch.from_numpy(stored[key]) for key in stored.files}
    kept = {key.removeprefix("kept/"): arrays.pop(key) for key in list(arrays) if key.startswith("kept/")}
    return Case(shapes=known, tensors=tensors | kept, arrays=arrays)
