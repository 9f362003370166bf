"""Our own checkpoints: safetensors files that say which network they hold."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from limpid import __version__, catalogue
from limpid.errors import WeightsError

_KEY = "limpid"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network's name in the catalogue, its settings, its tensors, and notes such as the recipe it came from."""

    model: str
    settings: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    notes: Mapping[str, Any]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all; tensors keep their precision."""
    about = {
        "model": checkpoint.model,
        "settings": dict(checkpoint.settings),
        "notes": dict(checkpoint.notes),
        "version": __version__,
    }
    partial = path.with_name(f".{path.name}.partial")
    try:
        tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
        save_file(tensors, partial, metadata={_KEY: json.dumps(about, sort_keys=True)})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint of ours; nothing in it is executed.

    Raises WeightsError when the file is missing, damaged, or does not say what it is, or holds NaN or infinity.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: there is no such file") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is no safetensors file, or a damaged one ({_size(path)} bytes): {error}; download or convert it again"
        ) from error
    if not isinstance(about, dict) or "model" not in about:
        raise WeightsError(f"{path} does not say which network it holds; expected a .safetensors file written by limpid")
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{path}: tensor {name!r} holds NaN or infinity; the training that wrote it went wrong")
    return Checkpoint(model=about["model"], settings=about.get("settings", {}), tensors=tensors, notes=about.get("notes", {}))


def build(checkpoint: Checkpoint, *, source: str) -> nn.Module:
    """The network of a checkpoint in float32, evaluation mode, loaded strictly; ``source`` names the file in messages.

    Raises UnknownNameError for a network that the catalogue lacks, WeightsError when keys, shapes or settings differ.
    """
    entry = catalogue.find("models", checkpoint.model)
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in checkpoint.settings.items()}
    try:
        network: nn.Module = entry.build(**settings)
        network.load_state_dict({name: tensor.float() for name, tensor in checkpoint.tensors.items()}, strict=True)
    except (TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{source} does not fit the network {checkpoint.model!r} of this version: {reason[:300]}") from error
    return network.eval()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
