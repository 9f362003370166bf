"""Checkpoint files: ours say which network they hold, anybody else's are recognised by names and shapes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from limpid import catalogue
from limpid._version import __version__
from limpid.catalogue import Settings
from limpid.checkpoints.experiment import newest_generator
from limpid.checkpoints.fit import build_blank
from limpid.checkpoints.recognise import Recognised, recognise, tell
from limpid.checkpoints.unwrap import Unwrapped, Weights, unwrap
from limpid.errors import WeightsError
from limpid.files import replacing
from limpid.layers.network import LayerNetwork
from limpid.weights import reader

_KEY = "limpid"
_ONE_SET = ("holds one set of weights, whether averaged or raw",)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network's name in the catalogue, its settings, its tensors, and notes such as the recipe it came from.

    ``remarks``: what whoever opens the file must hear, one line each: what was chosen or assumed. They are not written.
    """

    model: str
    settings: Settings
    tensors: Mapping[str, Tensor]
    notes: Settings
    remarks: tuple[str, ...] = ()


class _About(BaseModel):
    """What our files say of themselves."""

    model_config = ConfigDict(strict=True)
    model: str
    settings: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    aliases: dict[str, str] = {}


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


def read(path: Path, weights: Weights = "averaged") -> Checkpoint:
    """Read a checkpoint, ours or of any network and layout of the catalogue; nothing in it is executed.

    ``path``: a file, or the folder of an experiment, whose newest generator is read. ``weights``: which of two sets, where averaged
    ones lie beside raw ones; that is said in the remarks. Raises WeightsError when the file is missing, damaged, unsafe or unknown
    (see ``reader.read`` and ``recognise``), or when a tensor holds NaN, infinity, or no real numbers.
    """
    path = newest_generator(path)
    document = reader.read(path)
    ours = _KEY in document.metadata
    checkpoint = _ours(path, document, weights) if ours else _foreign(path, document.content, weights)
    reader.refuse_unfit(str(path), checkpoint.tensors)
    return checkpoint


def build(checkpoint: Checkpoint, *, source: str) -> LayerNetwork:
    """The network of a checkpoint in float32, evaluation mode, loaded strictly; ``source`` names the file in messages.

    Keys, shapes and kinds of numbers are compared before anything is allocated. Raises WeightsError when they or the settings
    differ, and MissingExtraError.
    """
    settings = build_blank(checkpoint.model, checkpoint.settings, checkpoint.tensors, source)
    network = catalogue.find("models", checkpoint.model).build(**settings)
    network.load_state_dict({name: tensor.float() for name, tensor in checkpoint.tensors.items()}, strict=True)
    return network.eval()


def _foreign(path: Path, content: Any, weights: Weights) -> Checkpoint:
    """A checkpoint of somebody else."""
    unwrapped = unwrap(path, content, weights)
    try:
        recognised = recognise(unwrapped.tensors, str(path), weights)
    except WeightsError:
        if not unwrapped.beside or weights == "raw":
            raise
        return _foreign(path, content, "raw")  # the average has other names, such as those of LitEma, without dots
    told = tell(recognised, path)
    layout = f"{unwrapped.layout}, prefix {recognised.prefix}" if recognised.prefix else unwrapped.layout
    return Checkpoint(
        model=recognised.model,
        settings=told.settings,
        tensors=recognised.tensors,
        notes={"file": path.name, "layout": layout, **({"says": unwrapped.notes} if unwrapped.notes else {})},
        remarks=(*_choice(unwrapped, recognised, weights), *([told.remark] if told.remark else [])),
    )


def _choice(unwrapped: Unwrapped, recognised: Recognised, weights: Weights) -> tuple[str, ...]:
    """Which of two sets of weights was taken; nothing to say when there is one, as usual."""
    beside = unwrapped.beside or recognised.beside
    taken = unwrapped.layout if unwrapped.beside else recognised.prefix
    if beside and weights == "averaged":
        return (f"takes the averaged weights ({taken}); --weights raw takes the raw ones ({beside})",)
    if beside:
        return (f"takes the raw weights ({taken}); beside them lie averaged ones ({beside})",)
    return _ONE_SET if weights == "raw" else ()


def _ours(path: Path, document: reader.Document, weights: Weights) -> Checkpoint:
    try:
        about = _About.model_validate_json(document.metadata[_KEY])
    except ValidationError as error:
        raise WeightsError(f"{path} does not say which network it holds, though limpid wrote it; convert it again") from error
    tensors = dict(document.content)
    for alias, name in about.aliases.items():
        if name not in document.content:
            raise WeightsError(f"{path} gives a second name to the tensor {name[:80]!r}, which it does not hold; convert it again")
        tensors[alias] = tensors[name]
    remarks = _ONE_SET if weights == "raw" else ()
    return Checkpoint(model=about.model, settings=about.settings, tensors=tensors, notes=about.notes, remarks=remarks)


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
