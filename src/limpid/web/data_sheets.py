"""What See the data shows: contact sheets of a mixture, a kind of leaves, a degradation, with chosen settings."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.data.photographs import Photographs
from limpid.data.provenance import settled
from limpid.errors import DataError
from limpid.image.contact_sheet import ContactSheet
from limpid.layers.pixels import Pixels
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.presets import PRESETS
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator
from limpid.recipe.settings import built
from limpid.runtime.demo import square

KINDS: Mapping[str, str] = {"Mixture": "mixtures", "Degradation": "degradations", "Dead leaves": "leaves"}
"""What the menu says → kind."""

PLAIN = "stationary"
"""Leaves without a published preset."""


def names(kind: str) -> list[str]:
    """What there is of a kind."""
    return [PLAIN, *PRESETS] if kind == "leaves" else catalogue.names(kind)


def build_of(kind: str, name: str) -> Callable[..., Any]:
    """What is built, for its signature."""
    return Chart if kind == "leaves" else catalogue.find(kind, name).build


def sheet(kind: str, name: str, settings: Settings, *, seed: int, count: int, side: int, folder: Path | None = None) -> Pixels:
    """A sheet of ``count`` items of ``side`` pixels, (H, W, 3) uint8; photos of ``folder``, None: scikit-image's own.

    Equal seeds give equal items whatever the settings are. Raises what the entry raises.
    """
    make = {"mixtures": _mixtures, "degradations": _degradations, "leaves": _leaves}[kind](name, settings, side, folder)
    pictures = ContactSheet()
    for index in range(count):
        pictures.add(f"{index}", make(generator(seed, index, "see"), index))
    return pictures.pixels()


_Make = Callable[[np.random.Generator, int], Mapping[str, Tensor]]


def _mixtures(name: str, settings: Settings, side: int, folder: Path | None) -> _Make:
    formation, photos = built("mixtures", name, settings), _photos(folder)

    def make(stream: np.random.Generator, index: int) -> Mapping[str, Tensor]:
        behind, mirrored = (
            square(photos.load(photos.names[place]), side) for place in stream.choice(len(photos), 2, replace=False)
        )
        mixture = formation.apply(behind, mirrored, formation.draw(stream, (side, side)))
        return {"input": mixture.input, "transmission": mixture.transmission, "reflection": mixture.reflection.clamp(0, 1)}

    return make


def _degradations(name: str, settings: Settings, side: int, folder: Path | None) -> _Make:
    degradation, photos = built("degradations", name, settings), _photos(folder)

    def make(stream: np.random.Generator, index: int) -> Mapping[str, Tensor]:
        sharp = square(photos.load(photos.names[index % len(photos)]), side)
        done = degradation.apply(sharp, degradation.draw(stream, (side, side)))
        return {"degraded": done.image.clamp(0, 1), "target": done.target}

    return make


def _leaves(name: str, settings: Settings, side: int, folder: Path | None) -> _Make:
    preset = {} if name == PLAIN else vars(PRESETS[name].chart)
    chosen = settled("leaves", {**preset, **settings})
    photos = _photos(folder) if chosen.colours == "natural" else ()
    return lambda stream, index: {"chart": chart(chosen, (side, side), stream, photos=photos)}


def _photos(folder: Path | None) -> Photographs:
    photos = Photographs(folder)
    if len(photos) < 2:
        raise DataError("the folder holds fewer than two photos")
    return photos
