"""Where something in a recipe was written, and errors that say so in one line."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from limpid.errors import LimpidError, UnknownNameError

Key = str | int
Keys = tuple[Key, ...]
"""The way to a value: keys of mappings and places in lists, from the top."""


@dataclass(frozen=True)
class Where:
    """A place in a recipe: ``str`` of it is ``FILE:LINE`` or the override that wrote it, ``key`` its dotted key.

    ``origins``: what is known of the places of keys; that of the nearest key above answers for the rest. ``where / key`` is
    the place of a key below.
    """

    origins: Mapping[Keys, str]
    path: Keys = ()

    def __truediv__(self, key: Key) -> "Where":
        return Where(self.origins, (*self.path, key))

    def __str__(self) -> str:
        above = (self.path[:length] for length in range(len(self.path), -1, -1))
        return next((self.origins[keys] for keys in above if keys in self.origins), "settings")

    @property
    def key(self) -> str:
        """The dotted key, e.g. ``losses.1.backbone``; empty at the top."""
        return ".".join(map(str, self.path))

    def say(self, text: str) -> str:
        """One line: place, key and what is wrong there."""
        return f"{self}: {self.key}: {text}" if self.path else f"{self}: {text}"


NOWHERE = Where({})
"""The place of settings that no file holds."""


def unknown(where: Where, kind: str, wanted: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name at ``where`` that is none of ``known``; its line begins with the place."""
    error = UnknownNameError(kind, wanted, known)
    error.args = (f"{where}: {error}",)
    return error


@contextmanager
def located(where: Where) -> Iterator[None]:
    """Errors of this package that leave the block begin with the place and its key."""
    try:
        yield
    except LimpidError as error:
        error.args = (where.say(str(error)),)
        raise
