"""The JSON schema of a recipe file, for editors: the structure and, by name, the settings of everything in the catalogue."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from limpid.catalogue import Nested, find, names, sizes_of
from limpid.recipe.models import Recipe
from limpid.recipe.settings import BESIDE
from limpid.recipe.signature import Parameter, parameters, schema_of

Schema = dict[str, Any]
GIVEN = ("augment", "seed")
"""Parameters that the recipe's own sections fill where an item does not."""


def schema(augment: Callable[..., object]) -> Schema:
    """JSON schema (draft 2020-12) of a whole recipe; imports every entry that a recipe may name.

    ``augment``: what takes the settings of ``data.augment``.

    Each list of alternatives goes by ``name``. Numbers may stand in for ``$NAME`` nowhere: places are texts.
    """
    root = Recipe.model_json_schema(by_alias=True)
    definitions = _Definitions(root.pop("$defs"))
    for kind, section in BESIDE.items():
        own = definitions.found[section.__name__]["properties"]
        if names(kind):
            definitions.found[section.__name__] = definitions.alternatives(kind, own)
    definitions.found["Augment"] = definitions.settings_of("augment", augment)
    definitions.found["Data"]["properties"]["augment"] = {"anyOf": [{"$ref": "#/$defs/Augment"}, {"type": "null"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": definitions.found}


class _Definitions:
    """The definitions of a schema, growing as alternatives mention further ones."""

    def __init__(self, found: dict[str, Schema]) -> None:
        self.found = found

    def alternatives(self, kind: str, own: Mapping[str, Schema]) -> Schema:
        """One alternative per name of a kind; ``own``: keys that stand beside the settings."""
        return {"type": "object", "required": ["name"], "oneOf": [self._alternative(kind, name, own) for name in names(kind)]}

    def settings_of(self, title: str, build: Callable[..., object]) -> Schema:
        """What ``build`` takes."""
        return self._object(title, parameters(build).values(), {}, optional=())

    def _alternative(self, kind: str, name: str, own: Mapping[str, Schema]) -> Schema:
        entry = find(kind, name)
        fixed: dict[str, Schema] = {**own, "name": {"const": name, "description": entry.source}}
        if sizes_of(entry):
            fixed["size"] = {"enum": [*sizes_of(entry), None], "description": "a named size; null: the first one"}
        optional = (*GIVEN, *(key for settings in sizes_of(entry).values() for key in settings))
        found = self._object(f"{kind}.{name}", parameters(entry.build).values(), fixed, optional=optional)
        return {**found, "title": name, "required": ["name", *found["required"]]}

    def _object(self, title: str, known: Iterable[Parameter], fixed: Mapping[str, Schema], *, optional: Iterable[str]) -> Schema:
        """An object with the settings in ``known`` that text can hold, and the ``fixed`` properties."""
        settings = {one.name: found for one in known if (found := self._setting(one, f"{title}.")) is not None}
        required = [one.name for one in known if one.required and one.name in settings and one.name not in optional]
        return {"type": "object", "properties": {**fixed, **settings}, "required": required, "additionalProperties": False}

    def _setting(self, parameter: Parameter, prefix: str) -> Schema | None:
        if parameter.nested is not None:
            return self._nested(parameter, parameter.nested)
        whole = schema_of(parameter, prefix)
        if whole is None:
            return None
        self.found.update({f"{prefix}{name}": one for name, one in whole.get("$defs", {}).items()})
        found = {key: value for key, value in whole["properties"][parameter.name].items() if key != "title"}
        return found if parameter.required else {**found, **_default(parameter.default)}

    def _nested(self, parameter: Parameter, nested: Nested) -> Schema:
        title = f"{nested.kind}.{'weighted' if nested.weighted else 'plain'}"
        if title not in self.found:
            self.found[title] = {}  # stands for itself while its own settings are looked at
            own = {"weight": {"type": "number", "minimum": 0, "default": 1.0}} if nested.weighted else {}
            self.found[title] = self.alternatives(nested.kind, own)
        one: Schema = {"$ref": f"#/$defs/{title}"}
        found = {"type": "array", "items": one} if parameter.many else one
        return {"anyOf": [found, {"type": "null"}]} if parameter.optional else found


def _default(value: Any) -> Schema:
    """The default as JSON, where it can be written so."""
    try:
        return {"default": from_json(to_json(value))}
    except PydanticSerializationError:
        return {}
