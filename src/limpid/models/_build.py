"""Networks by name, for people: ``limpid.create_model`` and ``limpid.list_models``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from inspect import signature
from pathlib import Path
from typing import Any

import torch

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.errors import MissingExtraError, UnknownNameError
from limpid.layers.network import LayerNetwork
from limpid.weights.manifest import Row, rows


def create_model(name: str, size: str | None = None, **settings: Any) -> LayerNetwork:
    """A fresh network of the catalogue with random weights; ``settings`` override those of the named ``size``.

    Raises UnknownNameError, with the nearest spelling, for an unknown name, size or setting.

    >>> network = create_model("nafnet", "tiny", width=8)
    >>> network(torch.rand(1, 3, 32, 48))
    Separation(restored: 1×3×32×48 torch.float32 on cpu)
    """
    entry = catalogue.find("models", name)
    known = signature(entry.build).parameters
    for setting in settings:
        if setting not in known:
            raise UnknownNameError(f"setting of {name}", setting, known)
    return entry.build(**{**catalogue.settings_of(entry, size), **settings})


def list_models(pattern: str | None = None) -> list[str]:
    """Names of all networks, or of those whose name or task fits a pattern, such as ``*net*`` or ``reflection``.

    >>> list_models("intrinsic")
    ['light_unet', 'sils', 'usi3d']
    >>> "limpid" in list_models("*refl*")
    True
    """
    named = {name: (name, *catalogue.find("models", name).tasks) for name in catalogue.names("models")}
    return [name for name, words in named.items() if pattern is None or any(fnmatchcase(word, pattern) for word in words)]


@dataclass(frozen=True, kw_only=True)
class Description:
    """One network for the eye: name, tasks, layers, source, licence, parameters of each size, shipped weights.

    The count of a size is None where its network needs a library that is not installed.
    """

    name: str
    tasks: tuple[str, ...]
    layers: tuple[str, ...]
    source: str
    licence: str
    parameters: dict[str, int | None]
    weights: list[Row]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return asdict(self)


def describe(names: Sequence[str] | None = None) -> list[Description]:
    """All networks, or ``names``; sizes that ``parameters.json`` does not hold are counted on the meta device."""
    counted, described = known_counts(), []
    for name in catalogue.names("models") if names is None else names:
        entry = catalogue.find("models", name)
        described.append(
            Description(
                name=name,
                tasks=entry.tasks,
                layers=entry.layers,
                source=entry.source,
                licence=entry.licence,
                parameters={
                    size: counted.get(name, {}).get(size) or count(entry, settings) for size, settings in entry.sizes.items()
                },
                weights=[row for row in rows().values() if row.model == name],
            )
        )
    return described


def known_counts() -> Mapping[str, Mapping[str, int]]:
    """Network → size → parameters, as ``count`` found them: building all networks takes a list many seconds."""
    held: Mapping[str, Mapping[str, int]] = json.loads(Path(__file__).with_name("parameters.json").read_text(encoding="utf-8"))
    return held


def count(entry: catalogue.Entry, settings: Settings) -> int | None:
    """Parameters of a network, built where nothing is allocated; None where a library that it needs is not installed."""
    try:
        with torch.device("meta"):
            network = entry.build(**settings)
    except MissingExtraError:
        return None
    total: int = sum(parameter.numel() for parameter in network.parameters())
    return total
