"""From what the user typed to the photos meant: files, quoted globs, folders with all below them."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from limpid.errors import UsageError, printable
from limpid.files import is_special
from limpid.image.formats import READ, is_photo, sniff_file, unread_kind
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


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The photos meant, and those that folders and globs hold besides and that are not read here: path → kind."""

    photos: tuple[Found, ...]
    unread: Mapping[Path, str]


def find(inputs: Sequence[str | os.PathLike[str]]) -> Findings:
    """Photos meant by files, globs and folders, each once, in the order given, folders sorted by name.

    Folders and globs yield what has the extension of a photo and is no output of ours (``x.transmission.jpg``); a file named
    outright is taken as it is, and ``-`` passes through. Links to folders are followed once. Raises UsageError for a path
    that is not there (with the nearest name) and for a folder or glob without photos.
    """
    found: dict[str, Found] = {}
    unread: dict[Path, str] = {}
    for wanted in inputs:
        for item in _meant(os.fspath(wanted), unread):
            found.setdefault(os.path.abspath(item.path), item)
    return Findings(photos=tuple(found.values()), unread=unread)


def count_kinds(unread: Iterable[str]) -> str:
    """How many photos are not read here and of what kinds: ``3 not read here: HEIC, raw``."""
    kinds = list(unread)
    return f"{len(kinds)} not read here: {', '.join(sorted(set(kinds)))}"


def is_own_output(path: Path) -> bool:
    """Whether a file is named like a result of ours: ``x.reflection.png``, ``x.transmission_2.png``, ``x.compare.png``."""
    return _OWN.fullmatch(path.stem) is not None


def _meant(wanted: str, unread: dict[Path, str]) -> list[Found]:
    path = Path(wanted)
    if path == PIPE:
        return [Found(path=PIPE, root=Path())]
    if os.path.isdir(path):
        mine: dict[Path, str] = {}
        found = [Found(path=photo, root=path) for photo in _photos(files_below(path), mine)]
        if not found:
            raise UsageError(f"{printable(path)}: no photo in this folder; expected {READ} files{_besides(mine)}")
        unread.update(mine)
        return found
    if _is_there(path):
        return [Found(path=path, root=path.parent)]
    if _MAGIC.search(wanted):
        return _matches(wanted, unread)
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


def _photos(files: Iterable[Path], unread: dict[Path, str]) -> Iterator[Path]:
    """Those of the files that are photos to work on, and folders that cannot be listed; ``unread`` gains photos not read here."""
    for path in files:
        if os.path.isdir(path):
            yield path
        elif is_own_output(path) or path.name.startswith(".") or is_special(path):
            continue
        elif is_photo(path):
            yield path
        elif kind := unread_kind(path) or _unnamed_kind(path):
            unread[path] = kind


def _unnamed_kind(path: Path) -> str | None:
    """What a photo is to be called that does not have the name of one."""
    return "without a photo's extension" if sniff_file(path) is not None else None


def files_below(folder: Path, visited: set[str] | None = None) -> Iterator[Path]:
    """All files below a folder, sorted by name, and folders that cannot be listed: reading those says why.

    ``visited`` gains the real paths of folders seen, so that a loop of links ends.
    """
    visited = set() if visited is None else visited
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
            yield from files_below(entry, visited)
        else:
            yield entry


def _matches(pattern: str, unread: dict[Path, str]) -> list[Found]:
    parts = Path(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if _MAGIC.search(part))
    root = Path(*parts[:fixed])
    files: list[Path] = []
    visited: set[str] = set()
    for match in sorted(glob.glob(pattern, recursive=True)):
        path = Path(match)
        if os.path.isdir(path) and "**" not in parts:
            files += files_below(path, visited)
        elif os.path.isfile(path):
            files.append(path)
    mine: dict[Path, str] = {}
    found = [Found(path=path, root=root) for path in _photos(files, mine)]
    if not found:
        raise UsageError(f"{printable(pattern)}: no photo matches{_besides(mine)}")
    unread.update(mine)
    return found


def _besides(unread: Mapping[Path, str]) -> str:
    return f"; {count_kinds(unread.values())}" if unread else ""


def _hint(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"; there is no folder {printable(path.parent)} either"
    nearest = get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"; did you mean {printable(path.with_name(nearest[0]))}?" if nearest else "; check the spelling"
