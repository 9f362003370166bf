"""Separate the layers of a single photograph and restore it.

Names are bound on first use, so that importing the package stays quick and loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from limpid._version import __version__

if TYPE_CHECKING:
    from limpid.api import evaluate, synthesise, train
    from limpid.checkpoints.inspect import inspect
    from limpid.errors import LimpidError
    from limpid.image.read import read
    from limpid.image.write import write
    from limpid.layers.separation import Separation
    from limpid.models._build import create_model, list_models
    from limpid.runtime.load import load, separate

_HOMES = {
    "LimpidError": "limpid.errors",
    "Separation": "limpid.layers.separation",
    "create_model": "limpid.models._build",
    "evaluate": "limpid.api",
    "inspect": "limpid.checkpoints.inspect",
    "list_models": "limpid.models._build",
    "load": "limpid.runtime.load",
    "read": "limpid.image.read",
    "separate": "limpid.runtime.load",
    "synthesise": "limpid.api",
    "train": "limpid.api",
    "write": "limpid.image.write",
}

__all__ = [
    "LimpidError",
    "Separation",
    "__version__",
    "create_model",
    "evaluate",
    "inspect",
    "list_models",
    "load",
    "read",
    "separate",
    "synthesise",
    "train",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'limpid' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
