"""Every output path, decided and checked before any work starts: nothing is overwritten unasked, nothing lost."""

import hashlib
import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from limpid.errors import UsageError, printable
from limpid.image.find import PIPE, Found
from limpid.image.formats import EXTENSIONS, WRITABLE, canonical, format_of, sniff_file

_LONGEST = 255
"""Bytes of a file name on the file systems in use."""

_SHEET = ".compare.png"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One photo, or one ``frame`` of it: where it is, which layer goes where, and what about the names the user should hear.

    ``outputs``: what is to be written, ``all_outputs``: with what is there already and stays. ``sheet``: where the comparison goes.
    """

    source: Path
    outputs: Mapping[str, Path]
    all_outputs: Mapping[str, Path] = field(default_factory=dict)
    sheet: Path | None = None
    frame: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def targets(self) -> list[Path]:
        """All that is to be written."""
        return [*self.outputs.values(), *([self.sheet] if self.sheet is not None else [])]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All there is to do, and the photos left out because all their outputs exist."""

    jobs: tuple[Job, ...]
    skipped: tuple[Path, ...]


def plan_outputs(
    found: Sequence[Found],
    *,
    output: Path | None,
    layers: Sequence[str],
    format: str | None = None,
    overwrite: bool = False,
    skip_existing: bool = False,
    sheets: bool = False,
    frames: Mapping[Path, int] | None = None,
) -> Plan:
    """Decide where each layer of each photo goes: ``photo.jpg`` → ``photo.transmission.jpg``.

    ``sheets``: a comparison of each photo too, ``photo.compare.png``. ``frames``: of photos with several, how many are wanted; then
    ``photo.gif`` → ``photo.frame001.transmission.png``, and so on.

    ``output``: None (beside the photo), a folder (the tree is mirrored below it), or a file, which takes the first of
    ``layers`` of the one photo. ``format``: name or extension, None or ``same`` for that of the photo. Raises UsageError,
    before anything is touched, when two outputs collide, one is an input, one exists and neither ``overwrite`` nor
    ``skip_existing`` says what to do, or a folder cannot be written to.
    """
    wanted = None if format in (None, "same") else canonical(str(format))
    if any(item.path == PIPE for item in found):
        raise UsageError("a photo from standard input has no name to derive others from; use -o FILE or -o -")
    if output is not None and _is_file(output):
        planned = [_to_file(found, output, layers, wanted, sheets, frames or {})]
    else:
        planned = [
            _to_folder(item, output, layers, wanted, sheets, frame)
            for item in found
            for frame in (range((frames or {})[item.path]) if item.path in (frames or {}) else (None,))
        ]
    _refuse_collisions(planned)
    _refuse_folders(planned)
    return _settle(planned, overwrite=overwrite, skip_existing=skip_existing)


def _is_file(output: Path) -> bool:
    return not output.is_dir() and (output.is_file() or format_of(output) is not None)


def _to_file(
    found: Sequence[Found], output: Path, layers: Sequence[str], wanted: str | None, sheets: bool, frames: Mapping[Path, int]
) -> Job:
    if len(found) != 1:
        raise UsageError(f"-o {printable(output)} is one file, but there are {len(found)} photos; name a folder instead")
    format = canonical(output.suffix or "")
    if wanted not in (None, format):
        raise UsageError(f"-o {printable(output)} asks for {format}, --format for {wanted}; drop one of them")
    if not output.parent.is_dir():
        raise UsageError(f"{printable(output.parent)}: no such folder; create it first")
    if found[0].path in frames:
        raise UsageError(f"-o {printable(output)} is one file, but the photo has several frames; name a folder instead")
    sheet = output.with_name(f"{output.stem}{_SHEET}") if sheets else None
    return Job(source=found[0].path, outputs={layers[0]: output}, sheet=sheet)


def _to_folder(item: Found, output: Path | None, layers: Sequence[str], wanted: str | None, sheets: bool, frame: int | None) -> Job:
    folder = item.path.parent if output is None else output / place_below(item)
    number = "" if frame is None else f".frame{frame + 1:03d}"
    names, notes = output_names(item.path, layers, wanted or sniff_file(item.path), number)
    outputs = {layer: folder / name for layer, name in names.items()}
    more = list(notes)
    sheet = folder / _name(item.path, f"{number}{_SHEET}", more) if sheets else None
    return Job(source=item.path, outputs=outputs, sheet=sheet, frame=frame, notes=tuple(dict.fromkeys(more)))


def output_names(
    source: Path, layers: Sequence[str], format: str | None, number: str = ""
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Layer → name of its file, and what to say of it; nothing is opened.

    ``format``: that of the result, where it is not what the extension of ``source`` promises; ``number``: comes before the layer.
    """
    notes: list[str] = []
    format = format or format_of(source) or "PNG"
    if format not in WRITABLE:
        notes.append(f"{format} cannot hold the result; written as PNG")
        format = "PNG"
    extension = source.suffix if format_of(source) == format else f".{EXTENSIONS[format][0]}"
    names = {layer: _name(source, f"{number}.{layer}{extension}", notes) for layer in layers}
    return names, tuple(dict.fromkeys(notes))


def place_below(item: Found) -> Path:
    """Folder of a photo below its root; photos that a ``..`` leads out of the root lie right in the output folder."""
    try:
        place = item.path.parent.relative_to(item.root)
    except ValueError:
        return Path()
    return Path() if ".." in place.parts else place


def _name(source: Path, ending: str, notes: list[str]) -> str:
    """Stem and ending; a stem too long for the file system is cut and stays unique by a piece of its hash."""
    stem = os.fsencode(source.stem)
    room = _LONGEST - len(os.fsencode(ending))
    if len(stem) <= room:
        return source.stem + ending
    notes.append("the name is too long for an ending and was shortened")
    mark = "~" + hashlib.sha256(stem).hexdigest()[:8]
    return stem[: room - len(mark)].decode(errors="ignore") + mark + ending


def _key(path: Path) -> str:
    """Equal for paths that some file system takes for one: links resolved, case folded, accents composed."""
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()


def _refuse_collisions(planned: Sequence[Job]) -> None:
    inputs = {_key(source): source for source in {job.source for job in planned}}
    taken: dict[str, Path] = {}
    for job in planned:
        for path in job.targets:
            key = _key(path)
            if key in inputs or (path.exists() and path.samefile(job.source)):
                raise UsageError(f"{printable(path)}: this output is also an input; choose another place with -o")
            if key in taken:
                both = f"{printable(taken[key])} and {printable(job.source)}"
                raise UsageError(f"{both} would both be written to {printable(path)}; rename one or do them apart")
            taken[key] = job.source


def _refuse_folders(planned: Sequence[Job]) -> None:
    folders = {path.parent for job in planned for path in job.targets}
    for folder in sorted(folders):
        there = folder
        while not (there.exists() or there.is_symlink()) and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise UsageError(f"{printable(there)}: it is a file, outputs need a folder; choose another with -o")
        if not os.access(there, os.W_OK | os.X_OK):
            raise UsageError(f"{printable(there)}: no permission to write into this folder; choose another with -o")


def _settle(planned: Sequence[Job], *, overwrite: bool, skip_existing: bool) -> Plan:
    jobs, skipped = [], []
    for job in planned:
        existing = {path for path in job.targets if path.exists() or path.is_symlink()}
        folder = next((path for path in existing if path.is_dir()), None)
        if folder is not None:
            raise UsageError(f"{printable(folder)}: it is a folder where a photo is to be written; move it away")
        if existing and not (overwrite or skip_existing):
            first = printable(min(existing))
            raise UsageError(f"{first}: it exists; add --overwrite to replace it or --skip-existing to keep it")
        kept = existing if skip_existing else set()
        if len(kept) == len(job.targets):
            skipped.append(job.source)
            continue
        missing = {layer: path for layer, path in job.outputs.items() if path not in kept}
        sheet = None if job.sheet in kept else job.sheet
        jobs.append(replace(job, outputs=missing, all_outputs=job.outputs, sheet=sheet))
    return Plan(jobs=tuple(jobs), skipped=tuple(skipped))
