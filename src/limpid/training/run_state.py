"""The state of a run in one file: everything that the next step depends on, readable after any kill."""

import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch
from torch import Tensor, nn

from limpid.errors import WeightsError
from limpid.files import DiskError, free, megabytes, replacing
from limpid.training.kept_weights import RESUME, published
from limpid.training.sharding import shared_like
from limpid.weights import safe_pickle

_PLAIN = (bool, int, float, str, bytes, type(None), torch.dtype)


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` whole or not at all: tensors, numbers, texts, None, and lists, tuples and dicts of them.

    The old file stays until the new one is on the disk. Raises DiskError, the old file intact, when less is free than the
    tensors need or writing fails, and TypeError for a value that could not be read back.
    """
    needed = size(dict(state))
    if free(path.parent) < needed:
        there = "the old one is intact; " if path.exists() else ""
        left = megabytes(free(path.parent))
        raise DiskError(f"{path} needs {megabytes(needed)}, but {left} are free; {there}free some, then go on with --resume")
    with replacing(path, RESUME) as partial:
        torch.save(dict(state), partial)


def read_state(path: Path) -> dict[str, Any]:
    """What ``write_state`` wrote, on the CPU; nothing in the file is executed.

    Raises WeightsError when the file is missing, damaged, or holds something else.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such state of a run; start without --resume")
    try:
        state: Any = safe_pickle.load(path, mapped=False)
    except (pickle.UnpicklingError, BadZipFile, EOFError, OSError, RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        advice = "start anew, with --init and the best weights of the run if there are any"
        raise WeightsError(f"{path} is damaged and cannot be resumed from ({reason}); {advice}") from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path} holds a {type(state).__name__}, not the state of a run; name another file")
    return state


def size(state: Any) -> int:
    """Bytes of the memory behind all tensors of a state, each counted once: the size of its file, but for a few kilobytes.

    Raises TypeError for a value that ``read_state`` would refuse.
    """
    storages: dict[int, int] = {}
    for tensor in _tensors(state):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr() or id(tensor)] = storage.nbytes()
    return sum(storages.values())


def tight(path: Path) -> str | None:
    """One line for the user when less than twice the size of ``path`` is free on its disk, None otherwise."""
    if not path.is_file() or free(path.parent) >= 2 * path.stat().st_size:
        return None
    return f"only {megabytes(free(path.parent))} are free beside {path} ({megabytes(path.stat().st_size)}); make room soon"


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif type(value) in (dict, OrderedDict):
        for key, item in value.items():
            yield from _tensors(key)
            yield from _tensors(item)
    elif type(value) in (list, tuple, torch.Size):
        for item in value:
            yield from _tensors(item)
    elif type(value) not in _PLAIN:
        raise TypeError(f"the state of a run holds a {type(value).__name__}, which could not be read back; store plain values")


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """State dict without published backbones: those are filled from their own files again."""
    absent = published(network)
    return {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(absent)}


def take_weights(network: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Load what ``weights_of`` gave, strictly; raises WeightsError that names the first difference."""
    own = network.state_dict()
    mine = {name: shared_like(tensor, own[name]) if name in own else tensor for name, tensor in tensors.items()}
    try:
        network.load_state_dict(mine, strict=True)
    except RuntimeError as error:
        raise WeightsError(f"the state of {what} does not fit this recipe: {' '.join(str(error).split())[:300]}") from error


def extras_of(losses: nn.Module) -> dict[str, Tensor]:
    """What losses themselves learn, such as projectors of a distillation; frozen backbones of perceptual terms are left out."""
    return {name: parameter.detach() for name, parameter in losses.named_parameters() if parameter.requires_grad}


def take_extras(losses: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load what ``extras_of`` gave; raises WeightsError when names differ."""
    wanted = {name: parameter for name, parameter in losses.named_parameters() if parameter.requires_grad}
    if wanted.keys() != tensors.keys():
        raise WeightsError(f"the losses of this recipe learn {sorted(wanted)}, the state holds {sorted(tensors)}")
    for name, parameter in wanted.items():
        parameter.data.copy_(tensors[name])
