"""From what the user typed to the photos meant: files, quoted globs, folders with all below them."""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from limpid.errors import UsageError, printable
from limpid.files import is_special
from limpid.image.formats import format_of
from limpid.layers.task import TASKS

PIPE = Path("-")
"""Standard input, or standard output."""

_LAYERS = sorted({layer for task in TASKS.values() for layer in task.layers + task.optional})
_OWN = re.compile(rf".+\.(?:(?:{'|'.join(_LAYERS)})(?:_\d+)?|compare)", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, kw_only=True)
class Found:
    """One photo, and the folder its place below an output folder is counted from."""

    path: Path
    root: Path


def find(inputs: Sequence[str | os.PathLike[str]]) -> list[Found]:
    """Photos meant by files, globs and folders, each once, in the order given, folders sorted by name.

    Folders and globs yield what has the extension of a photo and is no output of ours (``x.transmission.jpg``); a file named
    outright is taken as it is, and ``-`` passes through. Links to folders are followed once. Raises UsageError for a path
    that is not there (with the nearest name) and for a folder or glob without photos.
    """
    found: dict[str, Found] = {}
    for wanted in inputs:
        for item in _meant(os.fspath(wanted)):
            found.setdefault(os.path.abspath(item.path), item)
    return list(found.values())


def is_own_output(path: Path) -> bool:
    """Whether a file is named like a result of ours: ``x.reflection.png``, ``x.transmission_2.png``, ``x.compare.png``."""
    return _OWN.fullmatch(path.stem) is not None


def _meant(wanted: str) -> list[Found]:
    path = Path(wanted)
    if path == PIPE:
        return [Found(path=PIPE, root=Path())]
    if os.path.isdir(path):
        found = [Found(path=photo, root=path) for photo in _walk(path, set())]
        if not found:
            raise UsageError(f"{printable(path)}: no photo in this folder; expected JPEG, PNG, WebP, TIFF, BMP, AVIF or GIF files")
        return found
    if _is_there(path):
        return [Found(path=path, root=path.parent)]
    if _MAGIC.search(wanted):
        return _matches(wanted)
    raise UsageError(f"{printable(path)}: no such file or folder{_hint(path)}")


def _is_there(path: Path) -> bool:
    """Whether a path names something, be it out of reach or a broken link: then reading it says what is wrong."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _walk(folder: Path, visited: set[str]) -> Iterator[Path]:
    """Photos below a folder, and folders that cannot be listed; ``visited`` holds real paths, so that a loop of links ends."""
    place = os.path.realpath(folder)
    if place in visited:
        return
    visited.add(place)
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder  # reading it says why: one line, and the other folders are done
        return
    for entry in entries:
        if os.path.isdir(entry):
            yield from _walk(entry, visited)
        elif _is_input(entry) and not is_special(entry):
            yield entry


def _matches(pattern: str) -> list[Found]:
    parts = Path(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if _MAGIC.search(part))
    root = Path(*parts[:fixed])
    found = []
    visited: set[str] = set()
    for match in sorted(glob.glob(pattern, recursive=True)):
        path = Path(match)
        if os.path.isdir(path) and "**" not in parts:
            found += [Found(path=photo, root=root) for photo in _walk(path, visited)]
        elif os.path.isfile(path) and _is_input(path):
            found.append(Found(path=path, root=root))
    if not found:
        raise UsageError(f"{printable(pattern)}: no photo matches")
    return found


def _is_input(path: Path) -> bool:
    return format_of(path) is not None and not path.name.startswith(".") and not is_own_output(path)


def _hint(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"; there is no folder {printable(path.parent)} either"
    nearest = get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"; did you mean {printable(path.with_name(nearest[0]))}?" if nearest else "; check the spelling"
