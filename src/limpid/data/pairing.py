"""The one layout of a paired folder, and its rules: partners by stem, none missing, none double, sizes equal."""

import logging
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limpid.data.decode import size
from limpid.errors import DataError, PhotoError
from limpid.image.find import files_below
from limpid.image.formats import is_photo, unread_kind
from limpid.layers.task import MOST_LAYERS, TASKS, Task

FOLDERS = {
    "input": "blended",
    "transmission": "transmission_layer",
    "restored": "transmission_layer",
    "reflection": "reflection_layer",
    "albedo": "albedo_layer",
    "shading": "shading_layer",
    **{f"layer_{place}": f"layer_{place}" for place in range(1, MOST_LAYERS + 1)},
    "mask": "mask",
    "judgements": "judgements",
    "photo": "",
}
"""Role of a file → its folder below the set; single photos lie in the set's own folder."""

Mismatch = Literal["refuse", "crop", "resize", "skip"]
"""What becomes of a pair whose layers differ in size: an error, their common middle, the size of the input, or it is left out."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """One file that breaks a rule: ``file`` relative to its set, ``what`` is wrong with it, and which rule that may be waived."""

    file: str
    what: str
    rule: Literal["partner", "size", "kind"] | None = None

    def __str__(self) -> str:
        return f"{self.file} {self.what}"


@dataclass(frozen=True, kw_only=True)
class PairFiles:
    """The files of one item: its photo, and name → layer for those layers that the set has."""

    name: str
    input: Path
    layers: Mapping[str, Path]

    def all(self) -> tuple[Path, ...]:
        """All files, input first."""
        return (self.input, *self.layers.values())


def listing(what: Sequence[object], most: int = 5) -> str:
    """The first ``most`` of ``what`` with the count: ``7: a, b, c, d, e and 2 more``."""
    rest = f" and {len(what) - most} more" if len(what) > most else ""
    return f"{len(what)}: {', '.join(map(str, what[:most]))}{rest}"


def stem_of(path: Path) -> str:
    """The stem of a relative path, folders included, with accents composed: systems write the same name in two ways."""
    return unicodedata.normalize("NFC", path.with_suffix("").as_posix())


def by_stem(folder: Path, *, root: Path | None = None, nested: bool = False) -> tuple[dict[str, Path], list[Problem]]:
    """Photos of a folder by stem, sorted by name, those whose stem is taken, and those of a kind that is not read here.

    A missing folder holds none. ``root``: of the set, from which problems are named; None: the folder itself. ``nested``: also
    photos in folders below, whose stems begin with these.
    """
    found: dict[str, Path] = {}
    problems = []
    entries = () if not folder.is_dir() else _visible(folder) if nested else filter(Path.is_file, sorted(folder.iterdir()))
    for path in entries:
        stem, name = stem_of(path.relative_to(folder)), path.relative_to(root or folder).as_posix()
        if kind := unread_kind(path):
            problems.append(Problem(name, f"is of a kind that is not read here ({kind})", "kind"))
        elif is_photo(path) and found.setdefault(stem, path) != path:
            problems.append(Problem(name, f"has the stem of {found[stem].name}"))
    return found, problems


def photos_deeper(folder: Path) -> int:
    """How many photos lie in folders below, where those who want the photos of a folder alone do not look."""
    return sum(is_photo(path) for path in _visible(folder) if path.parent != folder)


def _visible(folder: Path) -> Iterator[Path]:
    """Files below a folder, hidden folders left out."""
    for path in files_below(folder):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts[:-1]):
            yield path


def task_of(root: Path) -> Task:
    """What a paired folder is for by its layers: an ``albedo_layer`` says intrinsic images, ``layer_1`` … as many layers.

    Else reflection removal.
    """
    numbered = [place for place in range(1, MOST_LAYERS + 1) if (root / FOLDERS[f"layer_{place}"]).is_dir()]
    if len(numbered) > 1:
        return TASKS[f"layers_{len(numbered)}"]
    return TASKS["intrinsic" if (root / FOLDERS["albedo"]).is_dir() else "reflection"]


def inspect(root: Path, task: Task | None = None) -> tuple[list[PairFiles], list[Problem]]:
    """Items of a paired folder with the layers of ``task`` (None: by ``task_of``), by stem, and everything that breaks a rule.

    Folders below those of the layers count: ``blended/a/1.jpg`` goes with ``transmission_layer/a/1.png``, as the item ``a/1``.
    Layers other than the first are optional, but where there is one every item must have it. Sizes come from the headers; a file
    without a readable header is left to whoever decodes it.
    """
    task = task or task_of(root)
    found: dict[str, dict[str, Path]] = {}
    problems: list[Problem] = []
    for role in ("input", *task.layers):
        files, wrong = by_stem(root / FOLDERS[role], root=root, nested=True)
        problems += wrong
        if files or role in ("input", task.primary):
            found[role] = files
    stems = sorted(set().union(*found.values()))
    for role, files in found.items():
        missing = [stem for stem in stems if stem not in files]
        problems += [Problem(_where(root, found, stem), f"has no partner in {FOLDERS[role]}/", "partner") for stem in missing]
    pairs = [
        PairFiles(name=stem, input=found["input"][stem], layers={role: found[role][stem] for role in found if role != "input"})
        for stem in stems
        if all(stem in files for files in found.values())
    ]
    return pairs, problems + [problem for pair in pairs if (problem := _sizes(pair, root)) is not None]


def find_pairs(
    root: Path, task: Task | None = None, *, allow_missing: bool = False, on_mismatch: Mismatch = "refuse"
) -> list[PairFiles]:
    """Items of a paired folder, sorted by stem; ``task`` as for ``inspect``.

    ``allow_missing``: leave out what has no partner, and photos of a kind that is not read here. ``on_mismatch``: with ``skip``,
    leave out what differs in size; with ``crop`` and ``resize``, keep it for ``PairSource`` to fit. What is left out or kept so is
    listed in the log. Raises DataError that lists missing partners in both directions, double stems and unequal sizes, or says
    that there is nothing to pair.
    """
    task = task or task_of(root)
    pairs, problems = inspect(root, task)
    waived = {"partner", "kind"} if allow_missing else set()
    waived |= {"size"} if on_mismatch != "refuse" else set()
    grave = [problem for problem in problems if problem.rule not in waived]
    if grave:
        raise DataError(f"{root} does not pair up; {listing(grave)}. Repair them or see `limpid prepare --check {root}`.")
    if problems:
        _log.warning("%s does not pair up; %s", root, listing(problems))
    if on_mismatch == "skip":
        differing = {problem.file for problem in problems if problem.rule == "size"}
        pairs = [pair for pair in pairs if pair.input.relative_to(root).as_posix() not in differing]
    if not pairs:
        raise DataError(f"{root} holds no pairs; expected photos in blended/ and, with the same stems, in {FOLDERS[task.primary]}/")
    return pairs


def _where(root: Path, layers: dict[str, dict[str, Path]], stem: str) -> str:
    return next(files[stem] for files in layers.values() if stem in files).relative_to(root).as_posix()


def _sizes(pair: PairFiles, root: Path) -> Problem | None:
    try:
        sizes = [size(path) for path in pair.all()]
    except PhotoError:
        return None
    if len(set(sizes)) == 1:
        return None
    named = (f"{path.parent.name} {width}×{height}" for path, (height, width) in zip(pair.all(), sizes, strict=True))
    return Problem(pair.input.relative_to(root).as_posix(), f"differs in size from its layers ({', '.join(named)})", "size")
