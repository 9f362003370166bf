"""Public name → verified local file. What is shipped lies beside this module; ``manifest.json`` says what it is."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from limpid.errors import UnknownNameError, WeightsError
from limpid.files import sha256

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Row:
    """One weight file: its network and size, its checksum, and where it comes from.

    ``default_for``: tasks that use it when the user names no model. ``score``: measured, with data, protocol and count.
    ``bytes_per_pixel``: what a forward holds on a CPU, by precision, so that it need not be measured by each process.
    """

    name: str
    model: str
    size: str
    file: str
    sha256: str
    licence: str
    trained_on: str
    commit: str
    score: str
    default_for: tuple[str, ...] = ()
    bytes_per_pixel: dict[str, float] = field(default_factory=dict)


@cache
def rows() -> dict[str, Row]:
    """The manifest by name."""
    table: list[dict[str, Any]] = json.loads((_FOLDER / "manifest.json").read_text(encoding="utf-8"))
    made = (Row(**{**row, "default_for": tuple(row.get("default_for", ()))}) for row in table)
    return {row.name: row for row in made}


def default(task: str) -> Row:
    """The weights that a task uses by default. Raises WeightsError while none are shipped for it."""
    for row in rows().values():
        if task in row.default_for:
            return row
    raise WeightsError(f"no weights are shipped for the task {task!r} yet; name a file with --model FILE")


def locate(name: str) -> Path:
    """Path of a weight file, its bytes checked against the manifest.

    Raises UnknownNameError, with the nearest name, and WeightsError when the file is missing or damaged.
    """
    if name not in rows():
        raise UnknownNameError("weights", name, rows())
    row = rows()[name]
    path = _FOLDER / row.file
    if not path.is_file():
        raise WeightsError(f"the weights {name!r} are missing from this installation ({path}); reinstall limpid")
    found = sha256(path)
    if found != row.sha256:
        raise WeightsError(
            f"the weights {name!r} are damaged ({path}, {path.stat().st_size} bytes): sha256 {found[:12]}…,"
            f" expected {row.sha256[:12]}…; reinstall limpid"
        )
    return path
