"""What See the data shows of a recipe: the items that a training with it would begin with."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.data.photographs import BUNDLED, Photographs
from limpid.data.stream import Source, Stream
from limpid.errors import DataError, LimpidError
from limpid.image.contact_sheet import ContactSheet
from limpid.layers.pixels import Pixels
from limpid.recipe.load import Loaded, load, places
from limpid.recipe.signature import parameters
from limpid.training.assemble import data_sources

_TRAIN = "data.train"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something with settings of its own: ``path`` is put before their names; ``given``: what is set already."""

    title: str
    path: str
    build: Callable[..., Any]
    given: Settings


@dataclass(frozen=True, kw_only=True)
class RecipeSheet:
    """The sheet, (H, W, 3) uint8, and a line for every source of the recipe that cannot be shown."""

    pixels: Pixels
    left_out: tuple[str, ...]


def parts(name: str, folder: Path | None) -> list[Part]:
    """The training sources of a shipped recipe, and below each the mixtures and degradations that it names."""
    found: list[Part] = []
    for place, item in enumerate(_loaded(name, {}, folder).recipe.data.train):
        found += _parts("sources", item.name, item.settings, f"{_TRAIN}.{place}")
    return found


def recipe_sheet(name: str, settings: Settings, *, seed: int, count: int, folder: Path | None) -> RecipeSheet:
    """The first ``count`` items that a training with a shipped recipe would see; ``settings``: dotted keys of the recipe → value.

    ``folder`` stands for every ``$NAME`` of the recipe; without one a few photos of scikit-image do. A source that needs more than
    a folder of photos is left out. Raises DataError when nothing is left, and what ``recipe.load`` raises.
    """
    loaded = _loaded(name, settings, folder)
    sources: list[tuple[Source, Any]] = []
    left_out = []
    for place, item in enumerate(loaded.recipe.data.train):
        try:
            sources.append((_source(loaded, place), item.weight))
        except LimpidError as error:
            left_out.append(f"{_TRAIN}.{place} ({item.name}): {error}")
    if not sources:
        raise DataError("; ".join(left_out))
    stream = Stream(sources, epochs=loaded.recipe.train.epochs, seed=seed, length=max(count, loaded.recipe.data.epoch or count))
    sheet = ContactSheet()
    for index in range(count):
        pair = stream[index]
        sheet.add(f"{index} {pair.kind}", {"input": pair.input.clamp(0, 1)} | {k: v.clamp(0, 1) for k, v in pair.layers.items()})
    return RecipeSheet(pixels=sheet.pixels(), left_out=tuple(left_out))


def _parts(kind: str, name: str, settings: Settings, path: str) -> Iterator[Part]:
    build = catalogue.find(kind, name).build
    yield Part(title=f"{name} ({path.removeprefix(f'{_TRAIN}.')})", path=f"{path}.", build=build, given=settings)
    for parameter in parameters(build).values():
        listed = settings.get(parameter.name)
        if parameter.nested is not None and parameter.many and isinstance(listed, list | tuple):
            for place, item in enumerate(listed):
                rest = {key: value for key, value in item.items() if key not in ("name", "weight")}
                yield from _parts(parameter.nested.kind, item["name"], rest, f"{path}.{parameter.name}.{place}")


def _loaded(name: str, settings: Settings, folder: Path | None) -> Loaded:
    wanted = places(name)
    stand_in = str(folder or _bundled()) if wanted else ""
    changed = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
    return load(name, [*(f"{place}={stand_in}" for place in wanted), *changed])


def _source(loaded: Loaded, place: int) -> Source:
    data = loaded.recipe.data
    alone = data.model_copy(update={"train": data.train[place : place + 1]})
    return data_sources(replace(loaded, recipe=loaded.recipe.model_copy(update={"data": alone})))[0]


@cache
def _bundled() -> Path:
    """A folder with scikit-image's photos, below the temporary one that is removed at the end."""
    folder, photos = Path(tempfile.mkdtemp(prefix="photos-")), Photographs(None)
    for name in BUNDLED:
        Image.fromarray(photos.load(name)).save(folder / f"{name}.png")
    return folder
