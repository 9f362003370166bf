"""Whether the settings and tensors of a file make the network that it names, found out before anything of its size exists."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter, signature
from threading import get_ident
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn.modules.module import register_module_module_registration_hook

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.errors import MissingExtraError, UnknownNameError, UsageError, WeightsError
from limpid.layers.network import LayerNetwork

_LONGEST = 64  # values in a list of settings; published networks have four levels
_SPARE = 500  # modules that a network may have beside those that hold the tensors of its file: backbones, activations
_FAULTS = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError, UsageError)
"""What a constructor can make of settings that somebody wrote into a file."""


def build_blank(model: str, settings: Settings, tensors: Mapping[str, Tensor], source: str) -> dict[str, Any]:
    """The settings in the types of the constructor, after ``model`` was built without memory and compared with the ``tensors``.

    Raises WeightsError, in one line that names ``source``, for an unknown network or setting, a value of another kind, a network
    far larger than its tensors, and keys, shapes or kinds of numbers that differ; MissingExtraError.
    """
    try:
        entry = catalogue.find("models", model)
        checked = _checked(entry.build, settings)
        with torch.device("meta"), _at_most(2 * len(tensors) + _SPARE):
            network: LayerNetwork = entry.build(**checked)
        _compare(network, tensors)
    except MissingExtraError:
        raise
    except _FAULTS as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise WeightsError(f"{source} does not fit the network {model[:80]!r} of this version: {reason}") from error
    return checked


def _checked(build: Callable[..., Any], settings: Settings) -> dict[str, Any]:
    known = signature(build, eval_str=True).parameters
    return {name: _value(name, value, known) for name, value in settings.items()}


def _value(name: str, value: Any, known: Mapping[str, Parameter]) -> Any:
    if name not in known:
        raise UnknownNameError("setting", name, known)
    if isinstance(value, list | tuple) and len(value) > _LONGEST:
        raise ValueError(f"the setting {name} has {len(value)} values")
    kind: TypeAdapter[Any] = TypeAdapter(known[name].annotation, config=ConfigDict(strict=True, allow_inf_nan=False))
    try:
        return kind.validate_json(json.dumps(value))  # in which lists are tuples and whole numbers are also real ones
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        raise ValueError(f"the setting {name} is {str(value)[:80]!r}: {first[0].lower()}{first[1:]}") from error


def _compare(network: LayerNetwork, tensors: Mapping[str, Tensor]) -> None:
    """Raise RuntimeError or ValueError where keys, shapes or kinds of numbers differ."""
    network.load_state_dict({name: tensor.to("meta") for name, tensor in tensors.items()}, strict=True)
    for name, wanted in network.state_dict().items():
        if name in tensors and wanted.is_floating_point() and not tensors[name].is_floating_point():
            raise ValueError(f"the tensor {name} holds {tensors[name].dtype}, expected real numbers")


@contextmanager
def _at_most(modules: int) -> Iterator[None]:
    """Raise ValueError when more modules than that come into being in the block."""
    count, thread = 0, get_ident()

    def one_more(module: nn.Module, name: str, submodule: nn.Module) -> None:
        nonlocal count
        count += submodule is not None and get_ident() == thread
        if count > modules:
            raise ValueError("its settings describe a network far larger than its tensors")

    handle = register_module_module_registration_hook(one_more)
    try:
        yield
    finally:
        handle.remove()
