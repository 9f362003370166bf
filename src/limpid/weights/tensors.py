"""Reads the tensors of a published weight file without executing anything in it."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from limpid.errors import WeightsError

_WRAPPERS = ("model", "state_dict", "model_state_dict", "params")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Name → tensor of a ``.safetensors`` file or of a pickle opened with ``weights_only``; wrappers such as ``model`` are opened.

    Raises WeightsError when the file is missing, damaged, holds more than tensors, or NaN or infinity.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such weight file")
    try:
        content: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{path} is damaged or holds more than tensors and was not opened: {reason}") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} holds a {type(content).__name__}; expected names and tensors")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{path}: tensor {name!r} holds NaN or infinity")
    return tensors
