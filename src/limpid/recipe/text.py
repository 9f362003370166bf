"""YAML text → plain data, remembering the line of every key; YAML 1.2's idea of numbers and booleans.

PyYAML follows YAML 1.1, where ``on`` is true, ``1e-4`` a text, ``012`` ten and ``1:30`` ninety. Here ``on`` is a key like any
other, ``1e-4`` a number, and every key stands once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from limpid.errors import UsageError, printable
from limpid.recipe.errors import Key, Keys, Where

_WORDS = {
    "null": re.compile(r"(?:~|null|Null|NULL|)$"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"),
    "int": re.compile(r"[-+]?[0-9]{1,18}$"),
    "float": re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"),
}
"""Kind of plain scalar → how it is written (YAML 1.2, core schema, without octal and hexadecimal numbers)."""

_RESOLVERS = {None: [(f"tag:yaml.org,2002:{kind}", pattern) for kind, pattern in _WORDS.items()]}
_SCALARS = (*_WORDS, "str")
_MOST = 100_000
"""Values that a file may stand for; by aliases of aliases, a few lines could stand for billions."""

_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Loader(yaml.SafeLoader):
    """PyYAML's loader with the words of YAML 1.2."""

    yaml_implicit_resolvers = _RESOLVERS


class Dumper(yaml.SafeDumper):
    """PyYAML's writer with the words of YAML 1.2, so that ``on`` needs no quotes."""

    yaml_implicit_resolvers = _RESOLVERS

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out, each in its place."""
        return True


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a recipe says so far: plain data, and where each key was written, see ``Where``."""

    data: dict[Key, Any]
    origins: Mapping[Keys, str] = field(default_factory=dict)

    def where(self, *path: Key) -> Where:
        """The place of a key."""
        return Where(self.origins, path)


def read(text: str, file: str) -> Document:
    """The mapping that ``text`` of ``file`` holds. Raises UsageError, with the line, for anything else."""
    reader = _Reader(printable(file))
    data = reader.value(text)
    if data is None:
        raise UsageError(f"{printable(file)}: the file is empty; expected keys and values such as `name: errnet`")
    if not isinstance(data, dict):
        raise UsageError(f"{printable(file)}:1: expected keys and values such as `name: errnet`; got {_kind(data)}")
    return Document(data=data, origins={**reader.origins, (): printable(file)})


def value(text: str, source: str) -> Any:
    """A single value written as YAML, such as ``[2, 5]``; raises UsageError that begins with ``source``."""
    return _Reader(source, lines=False).value(text)


class _Reader:
    """Walks the nodes of one text; ``origins`` fills on the way."""

    def __init__(self, file: str, *, lines: bool = True) -> None:
        self.file, self.lines = file, lines
        self.origins: dict[Keys, str] = {}
        self._left = _MOST

    def value(self, text: str) -> Any:
        try:
            node = yaml.compose(text, Loader)
            return None if node is None else self._walk(node, ())
        except yaml.MarkedYAMLError as error:
            raise UsageError(self._at(error.problem_mark or error.context_mark, _problem(error))) from error
        except yaml.reader.ReaderError as error:
            character = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
            line = text.count("\n", 0, error.position) + 1
            raise UsageError(f"{self._line(line)}: character U+{character:04X} may not stand in YAML; remove it") from error
        except RecursionError as error:
            raise UsageError(f"{self.file}: nested too deeply, or an alias holds itself") from error

    def _walk(self, node: yaml.Node, path: Keys) -> Any:
        self._left -= 1
        if self._left < 0:
            raise UsageError(self._at(node.start_mark, f"more than {_MOST:,} values; write out what its aliases (*name) repeat"))
        self.origins.setdefault(path, self._line(node.start_mark.line + 1))
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
            raise UsageError(self._at(node.start_mark, f"a mapping or list cannot be read as {node.tag}; leave the tag out"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._walk(item, (*path, place)) for place, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Keys) -> dict[Key, Any]:
        found: dict[Key, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise UsageError(self._at(key_node.start_mark, "a key must be a word or a whole number; put other texts in quotes"))
            place = (*path, key)
            if key in found:
                raise UsageError(
                    self._at(key_node.start_mark, f"key {_dotted(place)} stands twice; first in {self.origins[place]}")
                )
            self.origins[place] = self._line(key_node.start_mark.line + 1)
            found[key] = self._walk(value_node, place)
        return found

    def _scalar(self, node: yaml.Node) -> Any:
        kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), node.value
        if kind not in _SCALARS or not _fits(kind, text):
            raise UsageError(self._at(node.start_mark, f"{text!r} cannot be read as {node.tag}; leave the tag out"))
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return int(text)
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan")) if kind == "float" else text

    def _at(self, mark: yaml.Mark | None, text: str) -> str:
        return f"{self._line(mark.line + 1) if mark else self.file}: {text}"

    def _line(self, line: int) -> str:
        return f"{self.file}:{line}" if self.lines else self.file


def _fits(kind: str, text: str) -> bool:
    return kind == "str" or _WORDS[kind].match(text) is not None


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join((error.problem or "cannot be read").split())
    if "'\\t'" in problem:
        return "a tab may not indent YAML; use spaces"
    return f"this is no YAML: {problem}"


def _kind(data: object) -> str:
    return "a list" if isinstance(data, list) else repr(data)


def _dotted(path: Keys) -> str:
    return ".".join(map(str, path))
