"""pydantic's complaints in one line: place, key, what is expected, what came, the nearest spelling."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from limpid.errors import LimpidError, SettingError, UnknownNameError, UsageError, printable

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


_EXPECTED = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
    "none_required": "null",
}
_KEYS = {"unknown_key", "unexpected_keyword_argument", "extra_forbidden", "union_tag_invalid"}
_ABSENT = {"missing", "union_tag_not_found"}
_LONGEST = 60  # characters of a value that a message repeats


def refusal(error: ValidationError, data: Any, where: Where, *, known: Iterable[str] = ()) -> UsageError:
    """The error to raise for ``data`` at ``where``; of several faults the most telling one.

    ``known``: keys that nested values may have, for faults that do not say. Returns an UnknownNameError for an unknown key and
    a SettingError otherwise.
    """
    faults = error.errors(include_url=False)
    fault = min(faults, key=lambda one: (one["type"] not in _KEYS, -len(_path(one, data))))
    path = _path(fault, data)
    for key in path:
        where = where / key
    if fault["type"] in _KEYS:
        return _unknown(fault, where, known)
    if fault["type"] in _ABSENT:
        return SettingError(f"{where}: {(where / _absent(fault)).key} is missing")
    alike = [one for one in faults if _path(one, data) == path and one["type"] not in _ABSENT]
    return SettingError(where.say(_complaint(alike)))


def _path(fault: ErrorDetails, data: Any) -> list[str | int]:
    """The fault's place in the data: without the names of branches of unions that pydantic puts between the keys."""
    path: list[str | int] = []
    for step in fault["loc"]:
        if isinstance(data, Mapping):
            key = next((key for key in data if str(key) == str(step)), None)
        else:
            key = step if isinstance(data, list | tuple) and isinstance(step, int) and step < len(data) else None
        if key is not None:
            path.append(key)
            data = data[key]
    return path


def _unknown(fault: ErrorDetails, where: Where, known: Iterable[str]) -> UsageError:
    context = fault.get("ctx", {})
    if fault["type"] == "unknown_key":
        kind = f"key of {where.key}" if where.path else "key"
        return unknown(where / context["wanted"], kind, context["wanted"], context["known"])
    if fault["type"] == "union_tag_invalid":
        return unknown(where / "name", where.key, str(context["tag"]), re.findall(r"'([^']*)'", str(context["expected_tags"])))
    above = Where(where.origins, where.path[:-1])
    return unknown(where, f"setting of {above.key}" if above.path else "setting", str(where.path[-1]), known)


def _absent(fault: ErrorDetails) -> str | int:
    return "name" if fault["type"] == "union_tag_not_found" else fault["loc"][-1]


def _complaint(faults: list[ErrorDetails]) -> str:
    """One sentence for all faults of one value: its type may be a union, each branch of which complains."""
    fault, *_ = faults
    if fault["type"] == "senseless":
        return fault["msg"]
    came = f"got {_brief(fault['input'])}"
    expected = list(dict.fromkeys(filter(None, map(_expected, faults))))
    if not expected:
        return f"{fault['msg'][0].lower()}{fault['msg'][1:]}; {came}"
    return f"expected {' or '.join(expected)}; {came}{_nearest(fault)}"


def _expected(fault: ErrorDetails) -> str:
    kind, prefix = fault["type"], "Input should be "
    if kind in ("too_short", "too_long"):
        bound = ("at least", "min_length") if kind == "too_short" else ("at most", "max_length")
        return f"{bound[0]} {fault['ctx'][bound[1]]} items"
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    return fault["msg"].removeprefix(prefix) if fault["msg"].startswith(prefix) else ""


def _nearest(fault: ErrorDetails) -> str:
    if fault["type"] != "literal_error":
        return ""
    names = re.findall(r"'([^']*)'", str(fault["ctx"]["expected"]))
    near = get_close_matches(str(fault["input"]), names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _brief(value: Any) -> str:
    text = printable(repr(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
