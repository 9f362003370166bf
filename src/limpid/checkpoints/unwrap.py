"""Where the authors of a file put the state dict: which key wraps it, which prefix training left on the names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from limpid.catalogue import Setting, Settings
from limpid.errors import WeightsError
from limpid.weights import reader

Weights = Literal["averaged", "raw"]
"""Which of two sets of weights side by side: averaged over the steps of a training, or those of its last step."""

_BOTH: tuple[Weights, Weights] = ("raw", "averaged")

WRAPPERS = (
    "params",
    "icnn",
    "weight",
    "state_dict",
    "model_state_dict",
    "generator",
    "net_g",
    "model",
    "network",
    "net",
)
"""Keys under which published files hold the network, the one to prefer first; averaged weights add a word of ``_AVERAGED``."""

PARTS = (("i", "r", "s", "fs", "fm"), ("G_T", "G_R"), ("icnn", "icnn2"), ("GR_state", "GT_state"))
"""Networks published as several state dicts in one file (USI3D, IBCLN, YTMT, RAGNet), whose names become prefixes."""

_AVERAGED = re.compile(r"(?<![A-Za-z])(ema|swa|avg|averaged?|shadow|polyak)(?![A-Za-z])|EMA|SWA")
_COUNTERS = ("total_ops", "total_params", "n_averaged")  # what thop.profile and torch's AveragedModel leave among the weights
_HALF = re.compile(r"(?<![A-Za-z0-9])G_([TR])(?![A-Za-z0-9])")  # how IBCLN names the two files of one network
_OTHER = {"T": "R", "R": "T"}
_DEPTH = 2  # prefixes such as `model.net_g.`
_LAYERS = 4  # mappings within mappings, more than any file has; one that holds itself has no end


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A set of tensors that may be a whole network, and the ``prefix`` taken off its names."""

    prefix: str
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Unwrapped:
    """The state dict of a file; ``layout`` says where it lay, ``notes`` holds what else the file says in plain values.

    ``beside``: where the other set of weights lies when there are two, averaged and raw, else empty.
    """

    tensors: Mapping[str, Tensor]
    layout: str
    notes: Settings
    beside: str = ""


def unwrap(path: Path, content: Any, weights: Weights = "averaged") -> Unwrapped:
    """Find the state dict in what a file holds; half of an IBCLN network is completed by the file beside it.

    Of two sets of ``weights`` the wanted one; what an average lacks (it is often made of parameters alone) comes from the raw ones.
    Raises WeightsError when there is none, when several fit, and when the other half is missing.
    """
    found, beside = _descend(path, content, weights), ""
    if found.split:
        found, beside = _of_two(path, content, weights)
    tensors = found.tensors
    half, layout = _HALF.search(path.stem), found.layout
    if half and not any(name.startswith("G_") for name in tensors):
        tensors, layout = _completed(path, half, tensors, weights), "two files" + ("" if layout == "bare" else f" in {layout}")
    return Unwrapped(tensors=tensors, layout=layout, notes=found.notes, beside=beside)


def _of_two(path: Path, content: Any, weights: Weights) -> tuple["_Found", str]:
    """The wanted one of two sets and where the other lies; an average of another network, such as a discriminator, is left out."""
    raw, averaged = (_descend(path, content, side) for side in _BOTH)
    shapes, others = _shapes(averaged.tensors), _shapes(raw.tensors)
    if not set(shapes.values()) <= set(others.values()):
        return raw, ""
    if weights == "raw":
        return raw, averaged.layout
    lacking = raw.tensors if shapes.items() <= others.items() else {}
    return replace(averaged, tensors={**lacking, **averaged.tensors}), raw.layout


def is_averaged(name: str) -> bool:
    """Whether a key or a prefix speaks of averaged weights."""
    return _AVERAGED.search(name) is not None


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A state dict, where it lay, what was said on the way, and whether another set lies beside it."""

    tensors: Mapping[str, Tensor]
    layout: str
    notes: Settings
    split: bool


def _descend(path: Path, content: Any, weights: Weights) -> _Found:
    layers: list[str] = []
    found, notes, split = content, _plain(content), False
    while isinstance(found, Mapping) and _state(found) is None and len(layers) < _LAYERS:
        averaged = {key: value for key, value in found.items() if isinstance(key, str) and is_averaged(key) and _holds(value)}
        others = {key: value for key, value in found.items() if key not in averaged}
        both = bool(averaged) and any(map(_holds, others.values()))
        split = split or (both and not any(map(is_averaged, layers)))  # an average keeps a copy of the raw ones for itself
        key, found = _inside(path, averaged if averaged and (weights == "averaged" or not both) else others)
        layers.append(key)
        notes = {**notes, **_plain(found)}
    tensors = _state(found)
    if tensors is None:
        raise WeightsError(f"{path} holds no state dict; found {type(found).__name__}{' in ' if layers else ''}{'.'.join(layers)}")
    return _Found(tensors=_clean(tensors), layout=" in ".join(reversed(layers)) or "bare", notes=notes, split=split)


def _holds(value: Any, depth: int = 1) -> bool:
    """Whether a state dict lies in ``value`` or in one of its items."""
    if not isinstance(value, Mapping):
        return False
    return _state(value) is not None or (depth > 0 and any(_holds(item, depth - 1) for item in value.values()))


def candidates(tensors: Mapping[str, Tensor], prefix: str = "", depth: int = _DEPTH) -> Iterator[Candidate]:
    """The whole set first, then what lies under each prefix of its names (``net_g.``, ``model.net_g.``), level by level."""
    level = [Candidate(prefix=prefix, tensors=tensors)]
    for _ in range(depth + 1):
        yield from level
        level = [inner for outer in level for inner in _below(outer)]


def _below(outer: Candidate) -> list[Candidate]:
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in outer.tensors.items():
        first, _, rest = name.partition(".")
        if rest:
            groups.setdefault(first, {})[rest] = tensor
    return [Candidate(prefix=f"{outer.prefix}{first}.", tensors=_clean(group)) for first, group in groups.items()]


def _state(value: Any) -> Mapping[str, Tensor] | None:
    """The tensors of a state dict, or of the named parts of one; None when ``value`` is neither."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        return None
    for parts in PARTS:
        if all(part in value and _tensors(value[part]) is not None for part in parts[:3]):
            named = {part: _tensors(value[part]) or {} for part in parts if part in value}
            return {f"{part}.{name}": tensor for part, state in named.items() for name, tensor in _clean(state).items()}
    return _tensors(value)


def _tensors(value: Any) -> Mapping[str, Tensor] | None:
    """The tensors of a flat mapping from names to tensors and a few plain values."""
    if not isinstance(value, Mapping) or any(isinstance(item, Mapping | list) for item in value.values()):
        return None
    found = {name: item for name, item in value.items() if isinstance(name, str) and isinstance(item, Tensor)}
    return found or None


def _inside(path: Path, mapping: Mapping[Any, Any]) -> tuple[str, Any]:
    """What to go into and its name: a known wrapper, else the one item with a state dict, else all, their keys before the names."""
    for wrapper in WRAPPERS:
        for key, value in mapping.items():
            if isinstance(value, Mapping) and value and _AVERAGED.sub("", str(key)).strip("_.") == wrapper:
                return key, value
    states = {key: _state(value) for key, value in mapping.items() if isinstance(key, str)}
    inner = {key: state for key, state in states.items() if state is not None}
    holding = list(inner) or [key for key, value in mapping.items() if _holds(value)]
    if len(holding) == 1:
        return str(holding[0]), mapping[holding[0]]
    if not inner:
        keys = ", ".join(str(key) for key in list(mapping)[:8]) or "nothing"
        raise WeightsError(f"{path} holds no state dict under a known name; it holds {keys}; known: {', '.join(WRAPPERS)}")
    return " + ".join(inner), {f"{key}.{name}": tensor for key, state in inner.items() for name, tensor in state.items()}


def _clean(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without what torch.compile and data-parallel training put before them, and without counters of profilers."""
    cleaned = {
        name.replace("_orig_mod.", ""): tensor
        for name, tensor in tensors.items()
        if name.rpartition(".")[2] not in _COUNTERS or tensor.numel() > 1
    }
    while cleaned and all(name.startswith("module.") for name in cleaned):
        cleaned = {name.removeprefix("module."): tensor for name, tensor in cleaned.items()}
    return cleaned


def _completed(path: Path, half: re.Match[str], tensors: Mapping[str, Tensor], weights: Weights) -> dict[str, Tensor]:
    """Both halves of an IBCLN network, whichever of its two files was named."""
    here, there = half.group(1), _OTHER[half.group(1)]
    sibling = path.with_name(f"{path.stem[: half.start(1)]}{there}{path.stem[half.end(1) :]}{path.suffix}")
    if not sibling.is_file():
        raise WeightsError(f"{path.name} is one half of a network; its other half {sibling.name} is not beside it")
    other = _descend(sibling, reader.read(sibling).content, weights).tensors
    merged = {f"G_{here}.{name}": tensor for name, tensor in tensors.items()}
    return {**merged, **{f"G_{there}.{name}": tensor for name, tensor in other.items()}}


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _plain(value: Any) -> Settings:
    """What a file says about itself in numbers and short texts, one mapping deep."""
    if not isinstance(value, Mapping):
        return {}
    notes: dict[str, Setting] = {}
    for key, item in value.items():
        if isinstance(key, str) and isinstance(item, bool | int | str) and len(str(item)) <= 200:
            notes[key] = item
        elif isinstance(key, str) and isinstance(item, Real):  # NumPy's numbers too
            notes[key] = float(item) if isfinite(item) else str(item)
        elif key in ("train_config", "hyper_parameters", "config") and isinstance(item, Mapping):
            notes[key] = _plain(item)
    return notes
