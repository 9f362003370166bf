"""Checkpoint files: ours say which network they hold, anybody else's are recognised by names and shapes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from limpid import catalogue
from limpid._version import __version__
from limpid.catalogue import Settings
from limpid.checkpoints import unwrap
from limpid.checkpoints.recognise import recognise
from limpid.errors import WeightsError
from limpid.files import replacing
from limpid.layers.network import LayerNetwork
from limpid.weights import reader

_KEY = "limpid"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network's name in the catalogue, its settings, its tensors, and notes such as the recipe it came from."""

    model: str
    settings: Settings
    tensors: Mapping[str, Tensor]
    notes: Settings


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all; tensors keep their precision, one that has several names is written once."""
    aliases, tensors = _single(checkpoint.tensors)
    about = {
        "model": checkpoint.model,
        "settings": dict(checkpoint.settings),
        "notes": dict(checkpoint.notes),
        "version": __version__,
        **({"aliases": aliases} if aliases else {}),
    }
    with replacing(path) as partial:
        try:
            save_file(tensors, partial, metadata={_KEY: json.dumps(about, sort_keys=True)})
        except SafetensorError as error:  # which wraps the system's own
            raise OSError(" ".join(str(error).split())) from error


def read(path: Path) -> Checkpoint:
    """Read a checkpoint, ours or of any network and layout of the catalogue; nothing in it is executed.

    Raises WeightsError when the file is missing, damaged, unsafe or unknown (see ``foreign.read`` and ``recognise``), or
    when a tensor holds NaN or infinity.
    """
    document = reader.read(path)
    if _KEY in document.metadata:
        return _ours(path, document)
    unwrapped = unwrap.unwrap(path, document.content)
    recognised = recognise(unwrapped.tensors, str(path))
    reader.refuse_infinite(str(path), recognised.tensors)
    layout = f"{unwrapped.layout}, prefix {recognised.prefix}" if recognised.prefix else unwrapped.layout
    return Checkpoint(
        model=recognised.model,
        settings=recognised.settings,
        tensors=recognised.tensors,
        notes={"file": path.name, "layout": layout, **({"says": unwrapped.notes} if unwrapped.notes else {})},
    )


def build(checkpoint: Checkpoint, *, source: str) -> LayerNetwork:
    """The network of a checkpoint in float32, evaluation mode, loaded strictly; ``source`` names the file in messages.

    Raises UnknownNameError for a network that the catalogue lacks, WeightsError when keys, shapes or settings differ.
    """
    entry = catalogue.find("models", checkpoint.model)
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in checkpoint.settings.items()}
    try:
        network = entry.build(**settings)
        network.load_state_dict({name: tensor.float() for name, tensor in checkpoint.tensors.items()}, strict=True)
    except (TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{source} does not fit the network {checkpoint.model!r} of this version: {reason[:300]}") from error
    return network.eval()


def _ours(path: Path, document: reader.Document) -> Checkpoint:
    try:
        about = json.loads(document.metadata[_KEY])
    except ValueError:
        about = None
    if not isinstance(about, dict) or not isinstance(about.get("model"), str):
        raise WeightsError(f"{path} does not say which network it holds, though limpid wrote it; convert it again")
    tensors = dict(document.content)
    for alias, name in about.get("aliases", {}).items():
        tensors[alias] = tensors[name]
    reader.refuse_infinite(str(path), tensors)
    return Checkpoint(model=about["model"], settings=about.get("settings", {}), tensors=tensors, notes=about.get("notes", {}))


def _single(tensors: Mapping[str, Tensor]) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Second names of the same numbers → first names, and each tensor once, in memory of its own."""
    aliases: dict[str, str] = {}
    first: dict[tuple[Any, ...], str] = {}
    storages: set[int] = set()
    single: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage().data_ptr()
        key = (storage, tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if tensor.numel() and key in first:
            aliases[name] = first[key]
            continue
        first[key] = name
        single[name] = (tensor.clone() if storage in storages else tensor).contiguous()
        storages.add(storage)
    return aliases, single
