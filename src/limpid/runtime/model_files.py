"""Where the files of weights lie, whether they are sound, and how those that are not shipped come here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.errors import MissingExtraError, UnknownNameError, WeightsError
from limpid.files import sha256
from limpid.weights import manifest
from limpid.weights.fetch import cache_folder, forbidding_downloads


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One file of weights: ``name`` of the shipped weights or of the backbone, ``path`` where it lies, None where it is absent.

    ``state``: ``shipped``, ``cached``, ``absent`` or ``damaged``; ``says``: what a person should hear of it.
    """

    name: str
    state: Literal["shipped", "cached", "absent", "damaged"]
    path: str | None = None
    sha256: str = ""
    says: str = ""


def model_files(names: Sequence[str] = (), *, download: bool = False) -> list[ModelFile]:
    """Files of shipped weights, networks and backbones by their ``names``, of everything without any; each is verified.

    ``download``: fetch those that are absent, where they have a public home. Raises UnknownNameError, with the nearest name, and,
    when something is to be downloaded, WeightsError.
    """
    found: dict[str, ModelFile] = {}
    for name in names or (*manifest.rows(), *catalogue.names("backbones")):
        for file in _of(name, download):
            found.setdefault(file.name, file)
    return list(found.values())


def known_names() -> list[str]:
    """What ``model_files`` knows."""
    return sorted({*manifest.rows(), *catalogue.names("models"), *catalogue.names("backbones")})


def _of(name: str, download: bool) -> Iterator[ModelFile]:
    """The files of one name: a network has those shipped for it, and those of its backbones."""
    rows = [row.name for row in manifest.rows().values() if name in (row.name, row.model)]
    yield from map(_shipped, rows)
    if name in catalogue.names("backbones"):
        yield from _of_backbones("backbones", name, download)
    elif name in catalogue.names("models"):
        yield from _of_backbones("models", name, download)
    elif not rows:
        raise UnknownNameError("weights, network or backbone", name, known_names())


def _shipped(name: str) -> ModelFile:
    try:
        path = manifest.locate(name)
    except WeightsError as error:
        return ModelFile(name=name, state="damaged", says=str(error))
    return ModelFile(name=name, state="shipped", path=str(path), sha256=manifest.rows()[name].sha256)


def _of_backbones(kind: Literal["backbones", "models"], name: str, download: bool) -> Iterator[ModelFile]:
    try:
        with torch.device("meta"):  # nothing is allotted, as only their homes are wanted
            entry = catalogue.find(kind, name)
            network = entry.build(**catalogue.settings_of(entry, None))
    except MissingExtraError as error:
        yield ModelFile(name=name, state="absent", says=str(error))
        return
    for module in network.modules():
        if isinstance(module, Backbone):
            yield _fetched(name if kind == "backbones" else module.home.files[0], module, download)


def _fetched(name: str, backbone: Backbone, download: bool) -> ModelFile:
    try:
        with forbidding_downloads(not download):
            path = backbone.fetched()
    except WeightsError as error:
        if download:
            raise
        there = any((cache_folder() / file).is_file() for file in backbone.home.files)
        return ModelFile(name=name, state="damaged" if there else "absent", says=str(error))
    remote = backbone.home.remote
    known = remote is not None and path.name == remote.name
    return ModelFile(
        name=name, state=_state(path), path=str(path), sha256=sha256(path), says="" if known else "no checksum is known"
    )


def _state(path: Path) -> Literal["shipped", "cached"]:
    return "cached" if path.is_relative_to(cache_folder()) else "shipped"
