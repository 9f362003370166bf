"""``key=value`` on the command line: dotted keys into a recipe, and upper-case names of places."""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from limpid.errors import UsageError
from limpid.recipe.errors import Key, Keys, Where, unknown
from limpid.recipe.text import Document, value

_PLACE = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Override:
    """One value to put in place of another; ``text`` is what was typed."""

    text: str
    keys: tuple[str, ...]
    value: Any

    @property
    def origin(self) -> str:
        """How messages name it."""
        return f"override {self.text}"


def parse(texts: Iterable[str]) -> tuple[list[Override], dict[str, str]]:
    """Overrides of keys, and the values of ``$NAME`` by name, from ``key=value`` and ``NAME=value``.

    Values of keys are YAML: ``train.clip=null``, ``data.augment={crop: 64}``. Raises UsageError for what cannot be read.
    """
    overrides, places = [], {}
    for text in texts:
        key, equals, written = text.partition("=")
        keys = tuple(key.strip().split("."))
        if not equals or not all(keys):
            raise UsageError(f"override {text}: expected key=value such as train.epochs=30, or NAME=FOLDER")
        if _PLACE.fullmatch(keys[0]) and len(keys) == 1:
            places[keys[0]] = written
        else:
            overrides.append(Override(text=text, keys=keys, value=value(written, f"override {text}")))
    return overrides, places


def apply(document: Document, overrides: Iterable[Override]) -> Document:
    """The document with values put in, one after the other; missing mappings on the way are made.

    An item of a list is addressed by its place from 0 or by its name or label: ``losses.l1.weight=2``. Whether a new key makes
    sense is for the structure to say. Raises UnknownNameError for an item that is not there and UsageError for a way through
    a plain value.
    """
    data, origins = deepcopy(document.data), dict(document.origins)
    for override in overrides:
        made = _put(data, override)
        path = made[-1]
        origins = {keys: origin for keys, origin in origins.items() if keys[: len(path)] != path}
        origins.update(dict.fromkeys(made, override.origin))
    return Document(data=data, origins=origins)


def _put(data: dict[Key, Any], override: Override) -> list[Keys]:
    """Put the value in; returns the ways to all that is new, the value's own last."""
    node: Any = data
    path: Keys = ()
    made = []
    *above, last = override.keys
    for part in above:
        key = _key(node, part, path, override)
        path = (*path, key)
        if isinstance(node, dict) and node.get(key) is None:
            node[key] = {}
            made.append(path)
        node = node[key]
    key = _key(node, last, path, override)
    node[key] = override.value
    return [*made, (*path, key)]


def _key(node: Any, part: str, path: Keys, override: Override) -> Key:
    """What ``part`` means in a mapping or list."""
    if isinstance(node, dict):
        numbered = part.isdecimal() and any(isinstance(key, int) for key in node)
        return int(part) if numbered else part
    above = ".".join(map(str, path))
    if not isinstance(node, list):
        raise UsageError(
            f"{override.origin}: {above} is {node!r}, so there is no {part!r} in it; give {above} a new value as a whole"
        )
    if part.isdecimal() and int(part) < len(node):
        return int(part)
    for title in ("label", "name"):
        found = [place for place, item in enumerate(node) if isinstance(item, Mapping) and item.get(title) == part]
        if len(found) > 1:
            numbers = " and ".join(f"{above}.{place}" for place in found)
            raise UsageError(f"{override.origin}: {len(found)} items of {above} are called {part!r}; write {numbers}")
        if found:
            return found[0]
    raise unknown(Where({(): override.origin}), f"item of {above}", part, _titles(node))


def _titles(items: list[Any]) -> list[str]:
    titles = {str(item[title]) for item in items if isinstance(item, Mapping) for title in ("label", "name") if item.get(title)}
    return sorted(titles) or [str(place) for place in range(len(items))]
