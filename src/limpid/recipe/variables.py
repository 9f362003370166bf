"""``$NAME`` in a recipe: folders that differ from machine to machine."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from limpid.errors import UsageError, printable
from limpid.files import read_file
from limpid.recipe.errors import Where, unknown
from limpid.recipe.text import Document, read

_PLACE = re.compile(r"\$(?:(\$)|([A-Z][A-Z0-9_]*)|\{([A-Z][A-Z0-9_]*)\})")


def resolve(document: Document, given: Mapping[str, str]) -> Document:
    """The document with ``$NAME`` and ``${NAME}`` replaced in all its texts; ``$$`` is a dollar sign.

    A value comes from ``given``, from the environment or from ``data.yaml`` in the user's configuration folder, in this
    order; a leading ``~`` is the home folder. Raises UsageError for a name without a value.
    """
    return Document(data=_Places(given).replaced(document.data, document.where()), origins=document.origins)


def check(given: Mapping[str, str], *documents: Document) -> None:
    """Raise UnknownNameError for a given name that none of the documents holds: a misspelt one must not pass in silence."""
    known = {name for document in documents for name in names_in(document.data)}
    for name, folder in given.items():
        if name not in known:
            raise unknown(Where({(): f"override {name}={folder}"}), "place in this recipe", name, known)


def escape(data: Any) -> Any:
    """Plain data whose texts ``resolve`` gives back as they are."""
    if isinstance(data, Mapping):
        return {key: escape(value) for key, value in data.items()}
    if isinstance(data, list):
        return [escape(value) for value in data]
    return data.replace("$", "$$") if isinstance(data, str) else data


def settings_file() -> Path:
    """Where a user notes the folders of this machine: ``NAME: folder``, one per line."""
    return user_config_path("limpid") / "data.yaml"


def names_in(data: Any) -> set[str]:
    """The names of places in plain data, such as that of a document."""
    if isinstance(data, dict | list):
        return {name for value in (data.values() if isinstance(data, dict) else data) for name in names_in(value)}
    return {match[2] or match[3] for match in _PLACE.finditer(data) if not match[1]} if isinstance(data, str) else set()


class _Places:
    """Values of names, each looked up when it is met."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self._noted: Mapping[str, str] | None = None

    def replaced(self, data: Any, where: Where) -> Any:
        if isinstance(data, dict):
            return {key: self.replaced(value, where / key) for key, value in data.items()}
        if isinstance(data, list):
            return [self.replaced(value, where / place) for place, value in enumerate(data)]
        if isinstance(data, str):
            return _PLACE.sub(lambda match: "$" if match[1] else self._value(match[2] or match[3], where), data)
        return data

    def _value(self, name: str, where: Where) -> str:
        folder = self.given.get(name) or os.environ.get(name) or self.noted.get(name)
        if not folder:
            raise UsageError(
                where.say(
                    f"${name} has no value; write {name}=FOLDER after the recipe, set the environment variable {name},"
                    f" or add the line `{name}: FOLDER` to {printable(settings_file())}"
                )
            )
        return str(Path(folder).expanduser()) if folder.startswith("~") else folder

    @property
    def noted(self) -> Mapping[str, str]:
        """What ``data.yaml`` says; nothing when there is none."""
        if self._noted is None:
            self._noted = _noted(settings_file())
        return self._noted


def _noted(path: Path) -> Mapping[str, str]:
    try:
        text = read_file(path).decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{printable(path)}: cannot be read as UTF-8 text ({error})") from error
    if not text.strip():
        return {}
    document = read(text, str(path))
    for name, folder in document.data.items():
        if not isinstance(folder, str):
            raise UsageError(document.where(name).say(f"expected a folder; got {folder!r}"))
    return {str(name): folder for name, folder in document.data.items()}
