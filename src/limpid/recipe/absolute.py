"""Paths of a recipe made absolute, so that what a run keeps means the same wherever it is read."""

import typing
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from limpid.catalogue import find, names
from limpid.recipe.load import plain
from limpid.recipe.models import Recipe
from limpid.recipe.signature import Parameter, parameters

_CATALOGUED = {"model": "models", "procedure": "procedures"}


def absolute(recipe: Recipe) -> Recipe:
    """The recipe with an absolute path wherever it names a file or folder that is there; other texts stay as they are.

    What is a path, the signatures of what it names say.
    """
    text = plain(recipe)
    for key, kind in _CATALOGUED.items():
        text[key] = _thing(kind, text[key])
    data = text["data"]
    for part in ("train", "validate"):
        data[part] = [_thing("sources", item) for item in data[part]]
    data["test"] = {label: _thing("sources", item) for label, item in data["test"].items()}
    text["losses"] = [_thing("losses", term) for term in text["losses"]]
    text["train"]["init"] = _path(text["train"]["init"])
    text["log"]["photos"] = _path(text["log"]["photos"])
    return Recipe.model_validate(text)


def _thing(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a catalogued thing; a name and settings that nobody knows are left to the check of that thing."""
    name = settings.get("name")
    return _each(parameters(find(kind, name).build), settings) if name in names(kind) else dict(settings)


def _each(known: Mapping[str, Parameter], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(known[name], value) if name in known else value for name, value in settings.items()}


def _value(parameter: Parameter, value: Any) -> Any:
    if parameter.nested is None:
        return _typed(parameter.annotation, value)
    kind = parameter.nested.kind
    if isinstance(value, list | tuple):
        return [_thing(kind, item) if isinstance(item, Mapping) else item for item in value]
    return _thing(kind, value) if isinstance(value, Mapping) else value


def _typed(annotation: Any, value: Any) -> Any:
    """A value of a type: texts where the type holds paths, several with commas where it takes texts as well."""
    types = list(_flat(annotation))
    if isinstance(value, Mapping):
        owner = next((one for one in types if isinstance(one, type) and is_dataclass(one)), None)
        if owner is not None:
            return _each(parameters(owner), value)
        return {key: _typed(annotation, item) for key, item in value.items()}
    if Path not in types:
        return value
    if isinstance(value, list | tuple):
        return [_typed(annotation, item) for item in value]
    several = isinstance(value, str) and str in types and not Path(value).exists()
    return ",".join(_path(part.strip()) for part in value.split(",")) if several else _path(value)


def _flat(annotation: Any) -> typing.Iterator[Any]:
    inner = typing.get_args(annotation)
    if not inner:
        yield annotation
    for part in inner:
        yield from _flat(part)


def _path(text: Any) -> Any:
    if not isinstance(text, str) or not text:
        return text
    path = Path(text).expanduser()
    return str(path.absolute()) if path.exists() else text
