"""What a run has done, kept beside its outputs: a header that says how, and parts of one line per photo."""

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from limpid._version import __version__
from limpid.errors import UsageError
from limpid.files import parse_json
from limpid.scale.places import join, names_in, read_bytes, write_bytes

FOLDER = "limpid-run"
"""Where a manifest lies below the output folder."""

VERSION = 1
"""Of the layout of a manifest."""

_HEADER = "run.json"
_ROWS = 256  # per part at most
_SECONDS = 10.0  # that a photo is done without the manifest knowing, at most

Line = Mapping[str, Any]


class RunManifest:
    """The manifest of one run: ``done`` holds the photos that need no more work, ``failed`` the reasons of those that failed.

    ``output``: folder or address of the outputs; ``header``: what the outputs depend on, plain data. Parts are written whole or not
    at all; what a killed run had not written down is done again. Raises UsageError for a manifest that is there unasked
    (``resume`` and ``overwrite`` False), is missing where ``resume`` wants it, of another version or other settings, or damaged.
    """

    def __init__(self, output: str, header: Line, *, resume: bool, overwrite: bool = False) -> None:
        self.folder = join(output, FOLDER)
        self.done: set[str] = set()
        self.failed: dict[str, str] = {}
        self._waiting: list[Line] = []
        self._written = time.monotonic()
        self._header = {"limpid_run": VERSION, **json.loads(json.dumps(header))}
        names = names_in(self.folder)
        if resume:
            self._open(names)
            return
        if _HEADER in names and not overwrite:
            raise UsageError(f"{self.folder} holds the manifest of a run; go on with --resume, or choose another -o")
        self._run, self._parts = secrets.token_hex(4), 0  # parts of a run that was overwritten have another name
        content = {"limpid": __version__, "run": self._run, **self._header}
        write_bytes(join(self.folder, _HEADER), (json.dumps(content, indent=1) + "\n").encode())

    def _open(self, names: set[str]) -> None:
        if _HEADER not in names:
            raise UsageError(f"{self.folder} holds no manifest to resume; leave out --resume")
        held = self._read(_HEADER)[0]
        if held.get("limpid_run") != VERSION:
            raise UsageError(
                f"{self.folder} is a manifest of version {held.get('limpid_run')!r}, this limpid writes {VERSION};"
                " finish it with the limpid that began it, or choose another -o"
            )
        for key, wanted in self._header.items():
            if held.get(key) != wanted:
                raise UsageError(f"{self.folder} was begun with {key} {held.get(key)!r}, now {wanted!r}; choose another -o")
        self._run = str(held.get("run"))
        parts = sorted(name for name in names if name.startswith(f"part-{self._run}-"))
        self._parts = 1 + max((int(name.split("-")[2].removesuffix(".jsonl")) for name in parts), default=-1)
        for line in (line for part in parts for line in self._read(part)):
            self._note(line)

    def _read(self, name: str) -> list[dict[str, Any]]:
        content = read_bytes(join(self.folder, name))
        try:
            lines = [parse_json(content)] if name == _HEADER else [parse_json(line) for line in content.splitlines()]
            if not all(isinstance(line, dict) and (name == _HEADER or isinstance(line["photo"], str)) for line in lines):
                raise ValueError
        except (ValueError, KeyError) as fault:
            raise UsageError(f"{join(self.folder, name)} is damaged; delete it, and what it told of is done again") from fault
        return lines

    def _note(self, line: Line) -> None:
        photo, error = line["photo"], line.get("error")
        if error is None:
            self.done.add(photo)
            self.failed.pop(photo, None)
        else:
            self.failed[photo] = str(error)
            self.done.discard(photo)

    def add(self, photo: str, outputs: Mapping[str, str], error: str | None, seconds: float) -> None:
        """Note what became of a photo; written at once when many wait or the last time is long ago."""
        line = {"photo": photo, "outputs": dict(outputs), "error": error, "seconds": seconds}
        self._note(line)
        self._waiting.append(line)
        if len(self._waiting) >= _ROWS or time.monotonic() - self._written > _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write down what waits. Raises PlaceError and DiskError."""
        if self._waiting:
            name = f"part-{self._run}-{self._parts:08d}.jsonl"
            write_bytes(join(self.folder, name), "".join(json.dumps(line) + "\n" for line in self._waiting).encode())
            self._parts += 1
        self._waiting, self._written = [], time.monotonic()
