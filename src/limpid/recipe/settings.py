"""Settings of catalogued things: checked against the signature of their entry, nested things built on the way."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from limpid.catalogue import Entry, Nested, Settings, find, settings_of, sizes_of
from limpid.errors import SettingError
from limpid.recipe.errors import NOWHERE, Where, located, refusal, unknown
from limpid.recipe.models import Item, Model, Named, Term
from limpid.recipe.signature import Parameter, keys_within, model, parameters, settable

BESIDE: Mapping[str, type[Named]] = {"losses": Term, "sources": Item, "models": Model, "procedures": Named}
"""Kind → the section of a recipe whose own keys stand beside the settings."""


Arguments: TypeAlias = Mapping[str, Any]
"""What a constructor is called with: checked against its annotations, lists turned to tuples, nested things built."""


def built(
    kind: str,
    name: str,
    settings: Settings,
    *,
    size: str | None = None,
    given: Mapping[str, object] | None = None,
    where: Where = NOWHERE,
) -> Any:
    """The catalogued thing ``name`` made from ``settings``; the parameters are those of ``arguments``.

    Raises as ``arguments`` does, and what the constructor raises, with the place before it.
    """
    chosen = arguments(kind, name, settings, size=size, given=given, where=where)
    entry = _found(kind, name, where)
    with located(where):
        return entry.build(**chosen)


def arguments(
    kind: str,
    name: str,
    settings: Settings,
    *,
    size: str | None = None,
    given: Mapping[str, object] | None = None,
    where: Where = NOWHERE,
) -> Arguments:
    """Everything that ``build`` of an entry is to be called with.

    ``settings`` come first, then what the program has ``given`` and the signature takes, then the settings of the named
    ``size``. Raises UnknownNameError for an unknown name, size or setting and SettingError for a value that does not fit.
    """
    entry, given = _found(kind, name, where), given or {}
    with located(where / "size"):
        base = settings_of(entry, size)
    beside = BESIDE[kind].model_fields if kind in BESIDE else ()
    chosen = validated(entry.build, settings, given={*given, *base}, where=where, owner=name, beside=beside)
    known = parameters(entry.build)
    return {**base, **{key: value for key, value in given.items() if key in known}, **chosen}


def validated(
    build: Callable[..., Any],
    settings: Settings,
    *,
    given: Collection[str] = (),
    where: Where = NOWHERE,
    owner: str | None = None,
    beside: Collection[str] = (),
) -> Arguments:
    """Settings as ``build`` wants them: typed, lists turned to tuples, nested catalogued things built. Defaults are not filled in.

    ``given``: parameters that the program supplies; a setting of that name replaces it where text can hold it. ``where``: the
    place of the settings. ``owner``, ``beside``: for messages, the name of the thing and other keys that are possible.
    Raises UnknownNameError for an unknown setting and SettingError for one that is missing or does not fit.
    """
    owner = owner or _title(build)
    known = parameters(build)
    for name in settings:
        if name not in known or not settable(known[name]):
            names = [one.name for one in known.values() if settable(one)]
            raise unknown(where / name, f"setting of {owner}", name, (*names, *beside))
    for one in known.values():
        if one.required and one.name not in settings and one.name not in given:
            raise SettingError(f"{where}: {(where / one.name).key} is missing; {owner} needs it")
    nested = {name: _things(known[name], value, where / name) for name, value in settings.items() if known[name].nested}
    rest = {name: value for name, value in settings.items() if name not in nested}
    return {**_typed([known[name] for name in rest], rest, where), **nested}


def _typed(chosen: list[Parameter], settings: Settings, where: Where) -> Arguments:
    """Values through pydantic's JSON mode, where lists are tuples and texts are paths, but true is no number."""
    try:
        text = to_json(settings, inf_nan_mode="constants")
    except PydanticSerializationError as error:
        raise SettingError(where.say(f"settings must be plain data; {error}")) from error
    try:
        with located(where):
            values = model(chosen).model_validate_json(text)
    except ValidationError as error:
        known = sorted({key for one in chosen for key in keys_within(one.annotation)})
        raise refusal(error, settings, where, known=known) from error
    return {one.name: getattr(values, f"at_{one.name}") for one in chosen}


def _things(parameter: Parameter, value: Any, where: Where) -> Any:
    """Nested catalogued things: one, or a list; None where the parameter allows it."""
    nested = parameter.nested
    if nested is None or (value is None and parameter.optional):
        return None
    if not parameter.many:
        return _thing(nested, value, where)
    if not isinstance(value, list | tuple):
        raise SettingError(where.say(f"expected a list such as [{{name: …}}]; got {value!r}"))
    return [_thing(nested, item, where / place) for place, item in enumerate(value)]


def _thing(nested: Nested, item: Any, where: Where) -> Any:
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        raise SettingError(where.say(f"expected a mapping such as {{name: …}}; got {item!r}"))
    taken = {
        "name",
        *(["weight"] if nested.weighted else []),
        *(["size"] if sizes_of(_found(nested.kind, item["name"], where)) else []),
    }
    settings = {key: value for key, value in item.items() if key not in taken}
    size = item.get("size") if "size" in taken else None
    thing = built(nested.kind, item["name"], settings, size=size, where=where)
    return (thing, _weight(item.get("weight", 1.0), where / "weight")) if nested.weighted else thing


def _weight(value: Any, where: Where) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise SettingError(where.say(f"expected a number from 0 on; got {value!r}"))
    return float(value)


def _found(kind: str, name: str, where: Where) -> Entry:
    with located(where / "name"):
        return find(kind, name)


def _title(build: Callable[..., Any]) -> str:
    while isinstance(build, partial):
        build = build.func
    return getattr(build, "__name__", type(build).__name__).lower()
