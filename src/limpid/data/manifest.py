"""What a prepared set holds: a list of files with size and SHA-256, and the check against it."""

import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limpid.data.decode import pixels
from limpid.data.pairing import FOLDERS, Problem, by_stem, inspect, task_of
from limpid.errors import DataError, PhotoError
from limpid.files import parse_json, read_file, sha256
from limpid.image.find import files_below
from limpid.image.formats import is_photo
from limpid.progress import bar

NAME = "manifest.json"
_FORMAT = 1
_LONGEST = 255
"""Bytes of a file name on the file systems in use."""


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """One file: height and width in pixels (None for what is no photo) and the SHA-256 of its bytes."""

    size: tuple[int, int] | None
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """``set`` and ``variant`` name what was prepared, ``count`` its items, ``files`` every file by its path below the set.

    ``origin``: how a synthesised set was made, as plain data; None for a prepared download. ``unpaired``: True where photos and
    layers show different scenes, so that ``check`` looks for no partners.
    """

    set: str
    variant: str
    count: int
    files: Mapping[str, FileRecord]
    origin: Mapping[str, Any] | None = None
    unpaired: bool | None = None

    @property
    def label(self) -> str:
        """How a table names the set, e.g. ``real20/short512 (20)``: the variant and the count are part of a result."""
        return f"{self.set}{'/' + self.variant if self.variant else ''} ({self.count})"

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` into the folder of the set."""
        content = {name: value for name, value in asdict(self).items() if value is not None}
        text = json.dumps({"format": _FORMAT, **content}, indent=1, ensure_ascii=False)
        (folder / NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a folder; raises DataError when there is none or it is not one."""
        return cls.read_file(folder / NAME)

    @classmethod
    def read_file(cls, path: Path) -> "Manifest":
        """Read a manifest, whatever its name; raises DataError when there is none or it is not one."""
        try:
            manifest: Manifest = TypeAdapter(cls).validate_python(parse_json(read_file(path)))
        except FileNotFoundError as error:
            raise DataError(f"{path.parent} has no {path.name}; `limpid prepare` and `limpid synthesise` make one") from error
        except ValidationError as error:
            raise DataError(f"{path} is no manifest of a prepared set ({first_fault(error)})") from error
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is no manifest of a prepared set ({error})") from error
        strange = next((name for name in manifest.files if not _lies_inside(name)), None)
        if strange is not None:
            raise DataError(f"{path} is no manifest of a prepared set (it lists {strange[:60]!r}, which is no file of the set)")
        return manifest


@dataclass(frozen=True, kw_only=True)
class Report:
    """What ``check`` found: how many files it looked at and every one that is wrong; ``manifest`` is None without one."""

    folder: Path
    checked: int
    problems: tuple[Problem, ...]
    manifest: Manifest | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(folder: Path, *, quiet: bool = True) -> Report:
    """Look at every file of a prepared set, or of any folder of photos, and name each one that is wrong.

    With a manifest: files that are missing, changed (and then: undecodable) or not listed. Without: photos that cannot be
    decoded. In both cases: what does not pair up. ``quiet`` hides the progress bar. Raises DataError when there is no such
    folder, nothing in it, or a manifest that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; expected a set made by `limpid prepare` or a folder of photos")
    manifest = Manifest.read(folder) if (folder / NAME).exists() else None
    listed = {_composed(name): record for name, record in manifest.files.items()} if manifest else {}
    found = _files(folder, listed)
    if not found:
        raise DataError(f"{folder} holds nothing to check; expected photos, blended/ and transmission_layer/, or {NAME}")
    problems = [Problem(name, "is missing") for name in listed if name not in found]
    with bar(total=len(found), unit="file", quiet=quiet) as progress:
        for name, path in found.items():
            wrong = _wrong(path, listed.get(name)) if manifest is None or name in listed else "is not in the manifest"
            if wrong:
                problems.append(Problem(name, wrong))
            progress.advance(name)
    apart = manifest is not None and manifest.unpaired
    if not apart and all((folder / FOLDERS[role]).is_dir() for role in ("input", task_of(folder).primary)):
        problems += inspect(folder)[1]
    problems += [problem for problem in by_stem(folder)[1] if problem.rule == "kind"]
    return Report(folder=folder, checked=len(found), problems=tuple(problems), manifest=manifest)


def _wrong(path: Path, record: FileRecord | None) -> str | None:
    try:
        if record is not None and sha256(path) == record.sha256:
            return None
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    changed = "has changed (its SHA-256 is not the one in the manifest)" if record else None
    try:
        if is_photo(path):
            pixels(path)
    except PhotoError as error:
        reason = str(error).removeprefix(str(path)).strip()
        return reason if changed is None else f"{changed} and {reason}"
    return changed


def _files(folder: Path, listed: Mapping[str, FileRecord]) -> dict[str, Path]:
    """Photos and judgements where sets keep them, and whatever else is listed, such as kernels."""
    found = [path for path in folder.iterdir() if os.path.isfile(path)]
    found += [
        path for below in set(FOLDERS.values()) - {""} if os.path.isdir(folder / below) for path in files_below(folder / below)
    ]
    kept = [path for path in found if path.name != NAME and (is_photo(path) or path.parent.name == FOLDERS["judgements"])]
    kept += [folder / name for name in listed if os.path.isfile(folder / name)]
    return {_composed(path.relative_to(folder).as_posix()): path for path in sorted(set(kept))}


def _composed(name: str) -> str:
    """A name with composed accents: copying to another system may take them apart."""
    return unicodedata.normalize("NFC", name)


def _lies_inside(name: str) -> bool:
    """Whether a name is a relative path of ordinary parts, which leads to a file below the set on any system."""
    parts = name.split("/")
    odd = any(part in ("", ".", "..") or "\0" in part or len(part.encode(errors="surrogatepass")) > _LONGEST for part in parts)
    return not odd and not PureWindowsPath(name).drive and ".." not in PureWindowsPath(name).parts


def first_fault(error: ValidationError) -> str:
    """The first of pydantic's complaints in one line: where, what, and the value that came."""
    fault = error.errors()[0]
    place = ".".join(map(str, fault["loc"])) or "it"
    return f"{place}: {fault['msg']}; got {repr(fault['input'])[:80]}"
