"""A recipe by name or path, with overrides: text → frozen, checked ``Recipe``, and back to text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from limpid.errors import UnknownNameError, UsageError, printable
from limpid.files import read_file
from limpid.recipe import overrides as changes
from limpid.recipe.errors import Key, Keys, Where, refusal
from limpid.recipe.models import Recipe
from limpid.recipe.text import Document, Dumper, read
from limpid.recipe.variables import check, escape, names_in, resolve

FOLDER = Path(__file__).parents[1] / "recipes"
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A recipe and where each of its keys was written: ``origin`` is its file."""

    recipe: Recipe
    origin: Path
    origins: Mapping[Keys, str] = field(default_factory=dict)

    def where(self, *path: Key) -> Where:
        """The place of a key, e.g. ``where("losses", 1)``; its ``str`` is ``FILE:LINE`` or the override that wrote it."""
        return Where(self.origins, path)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A shipped recipe in a list: name, source, the first comment of its file."""

    name: str
    source: str
    line: str


def load(name_or_path: str | Path, overrides: Iterable[str] = ()) -> Loaded:
    """The recipe of a file, or a shipped one by name, with ``key=value`` and ``NAME=folder`` applied.

    Raises UnknownNameError for names and keys that do not exist, with the nearest spelling, SettingError for values that do
    not fit and UsageError for what cannot be read; each in one line with file, line and key.
    """
    path = find(name_or_path)
    return parse(_read(path), path, overrides)


def parse(text: str, origin: Path, overrides: Iterable[str] = ()) -> Loaded:
    """The recipe that ``text`` holds, e.g. one kept with a run; ``origin`` is what messages call it. Raises as ``load``."""
    changed, places = changes.parse(overrides)
    written = read(text, str(origin))
    document = changes.apply(written, changed)
    check(places, written, document)
    document = resolve(document, places)
    return Loaded(recipe=_checked(document), origin=origin, origins=document.origins)


def plain(recipe: Recipe) -> dict[str, Any]:
    """A recipe as mappings, lists, texts and numbers, every default written out."""
    data: dict[str, Any] = _plain(recipe.model_dump(by_alias=True))
    return data


def dump(recipe: Recipe) -> str:
    """A recipe as YAML, every default written out; ``parse`` of it gives the same recipe."""
    return yaml.dump(escape(plain(recipe)), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def shipped() -> list[str]:
    """Names of the recipes that come with the package, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def describe(name: str) -> Summary:
    """A shipped recipe for the eye; places need no values for it. Raises UnknownNameError for another name."""
    text = _shipped(name)
    first = next((line for line in text.splitlines() if line.startswith("#")), "")
    source = read(text, name).data.get("source", "")
    return Summary(name=name, source=str(source), line=first.lstrip("# ").strip())


def places(name: str) -> tuple[str, ...]:
    """The ``$NAME`` of a shipped recipe, sorted, without the dollar sign. Raises UnknownNameError for another recipe."""
    return tuple(sorted(names_in(read(_shipped(name), name).data)))


def _shipped(name: str) -> str:
    if name not in shipped():
        raise UnknownNameError("recipe", name, shipped())
    return _read(FOLDER / f"{name}.yaml")


def _checked(document: Document) -> Recipe:
    try:
        return Recipe.model_validate(document.data)
    except ValidationError as error:
        raise refusal(error, document.data, document.where()) from error


def find(name_or_path: str | Path) -> Path:
    """The file of a recipe, yours or a shipped one by name. Raises UnknownNameError and UsageError for what is neither."""
    path = Path(name_or_path)
    named = path.name == str(name_or_path) and path.suffix not in _SUFFIXES
    if named and path.name in shipped():
        return FOLDER / f"{path.name}.yaml"
    if path.is_dir():
        raise UsageError(
            f"{printable(path)} is a folder; a recipe is a .yaml file or one of {', '.join(shipped()) or 'none shipped'}"
        )
    if path.exists():
        return path
    if named:
        raise UnknownNameError("recipe", path.name, shipped())
    raise UsageError(f"{printable(path)}: no such recipe{_hint(path)}")


def _hint(path: Path) -> str:
    names = [other.name for other in path.parent.glob("*") if other.suffix in _SUFFIXES]
    near = get_close_matches(path.name, names, n=1, cutoff=0.6)
    return (
        f"; did you mean {printable(path.with_name(near[0]))}?" if near else "; `limpid train --list` shows those that are shipped"
    )


def _read(path: Path) -> str:
    try:
        return read_file(path).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{printable(path)}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{printable(path)}:{line}: byte 0x{error.object[error.start]:02X} is no UTF-8; save the file as UTF-8"
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
