"""Tidy a raw download into the one layout, with manifest and checks; RAW is never written to."""

import inspect
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import cv2
import numpy as np
from pydantic import ValidationError, validate_call

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.data.archive import MOST_BYTES, Unpacker
from limpid.data.decode import pixels
from limpid.data.layout import FolderSet, Placement
from limpid.data.manifest import NAME, FileRecord, Manifest, check
from limpid.data.pairing import Problem, listing
from limpid.errors import DataError, PhotoError, SettingError, UnknownNameError, UsageError
from limpid.files import sha256
from limpid.image.formats import is_photo
from limpid.progress import bar


def prepare(
    set_name: str,
    raw: Path,
    out: Path,
    *,
    settings: Settings | None = None,
    most_bytes: int = MOST_BYTES,
    quiet: bool = True,
) -> Manifest:
    """Lay out the set ``set_name`` of the download ``raw`` (folder or zip) as ``out``, whole or not at all.

    ``settings``: of the set's entry, such as ``variant``; ``most_bytes``: bound on what zips unpack to; ``quiet`` hides the
    progress bar. Original bytes are kept, except where a crop or size is part of the set. When ``out`` is that very set
    already and unchanged, nothing is done. Raises UnknownNameError for a set or setting that does not exist, UsageError when
    ``out`` lies in ``raw`` or is something else, and DataError when the download does not fit.
    """
    wanted = _build(set_name, settings or {})
    raw, out = raw.resolve(), out.resolve()
    if out.is_relative_to(raw) or raw.is_relative_to(out):
        raise UsageError(f"OUT ({out}) and RAW ({raw}) lie in each other; choose an OUT outside RAW, which is never written to")
    finished = _finished(wanted, out)
    if finished is not None:
        return finished
    try:
        return _lay_out(wanted, raw, out, most_bytes, quiet)
    except OSError as error:
        raise DataError(f"{out} cannot be made ({error.strerror or error}); free some space or choose another OUT") from error


def _lay_out(wanted: FolderSet, raw: Path, out: Path, most_bytes: int, quiet: bool) -> Manifest:
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}.", suffix=".partial", dir=out.parent) as scratch:
        tidy, unpacked = Path(scratch, "tidy"), Path(scratch, "raw")
        tidy.mkdir()
        unpacked.mkdir()
        files: Mapping[str, Path] = Unpacker(unpacked, most_bytes).files(raw)
        if wanted.unpack is not None:
            files = wanted.unpack(files, Path(scratch, "photos"))
        placements = wanted.arrange(files)
        manifest = _fill(wanted, placements, tidy, quiet)
        manifest.write(tidy)
        if out.exists():
            out.rmdir()  # empty, as _finished saw; some systems do not rename onto a folder
        tidy.rename(out)
    return manifest


@dataclass(frozen=True, kw_only=True)
class Described:
    """One set as a table lists it: ``variants`` are those in circulation, the default first; ``task`` what it is used for.

    ``holds``: variant (empty: the only one) → numbers of items, none for any, and height and width of its photos, None where they
    differ.
    """

    name: str
    variants: tuple[str, ...]
    task: str
    source: str
    licence: str
    home: str
    holds: Mapping[str, tuple[tuple[int, ...], tuple[int, int] | None]]


def describe() -> list[Described]:
    """Every set that can be prepared, sorted by name."""
    rows = []
    for name in catalogue.names("sets"):
        entry = catalogue.find("sets", name)
        signature = inspect.signature(entry.build, eval_str=True)
        if signature.return_annotation is FolderSet:  # the others are made on the fly
            variants = get_args(getattr(signature.parameters.get("variant"), "annotation", None))
            needs = any(parameter.default is parameter.empty for parameter in signature.parameters.values())
            made = {} if needs else {each: entry.build(variant=each) for each in variants} or {"": entry.build()}
            one = Described(
                name=name,
                variants=variants,
                task=", ".join(entry.tasks),
                source=entry.source,
                licence=entry.licence,
                home=entry.home,
                holds={each: (found.counts, found.sizes.get("")) for each, found in made.items()} or {"": (entry.counts, None)},
            )
            rows.append(one)
    return rows


def _build(set_name: str, settings: Settings) -> FolderSet:
    build = catalogue.find("sets", set_name).build
    signature = inspect.signature(build, eval_str=True)
    if signature.return_annotation is not FolderSet:
        raise UsageError(f"{set_name} is made on the fly; there is nothing to prepare")
    known = signature.parameters
    unknown = next((name for name in settings if name not in known), None)
    if unknown is not None:
        raise UnknownNameError(f"setting of {set_name}", unknown, known)
    needed = [name for name, parameter in known.items() if parameter.default is parameter.empty and name not in settings]
    if needed:
        raise UsageError(f"{set_name} needs the setting {', '.join(needed)}; add --set {needed[0]}=…")
    variants = get_args(known["variant"].annotation) if "variant" in settings else ()
    if variants and settings["variant"] not in variants:
        raise UnknownNameError(f"variant of {set_name}", str(settings["variant"]), variants)
    try:
        wanted: FolderSet = validate_call(build)(**settings)
    except ValidationError as error:
        fault = error.errors()[0]
        raise SettingError(f"{fault['loc'][0]} of {set_name}: {fault['msg']}; got {fault['input']!r}") from error
    return wanted


def _finished(wanted: FolderSet, out: Path) -> Manifest | None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    if not (out / NAME).is_file():
        raise UsageError(f"{out} exists and is no prepared set; choose another OUT or remove it")
    report = check(out)
    if report.manifest is None or (report.manifest.set, report.manifest.variant) != (wanted.name, wanted.variant):
        held = report.manifest.label if report.manifest else "another set"
        asked = f"{wanted.name}{'/' + wanted.variant if wanted.variant else ''}"
        raise UsageError(f"{out} holds {held}, not {asked}; choose another OUT or remove it")
    if not report.ok:
        raise DataError(f"{out} was prepared but is not whole any more; {listing(report.problems)}. Remove it and run again.")
    return report.manifest


def _fill(wanted: FolderSet, placements: Sequence[Placement], tidy: Path, quiet: bool) -> Manifest:
    records: dict[str, FileRecord] = {}
    sizes: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)  # stem → role → height and width
    placed: dict[Path, str] = {}  # source → where it was put first
    problems = []
    with bar(total=len(placements), unit="file", quiet=quiet) as progress:
        for placement in placements:
            name = placement.name(wanted.change)
            progress.advance(name)
            first = None if placement.make else placed.get(placement.source)  # what is made may share a source and differ
            try:
                if first is None:
                    records[name] = FileRecord(size=_place(placement, tidy / name, wanted), sha256=sha256(tidy / name))
                    if placement.make is None:
                        placed[placement.source] = name
                else:
                    _repeat(tidy / first, tidy / name)
                    records[name] = records[first]
            except (PhotoError, DataError) as error:
                problems.append(Problem(placement.source.name, str(error).removeprefix(str(placement.source)).strip()))
                continue
            if (size := records[name].size) is not None:
                sizes[placement.stem][placement.role] = size
    problems += _misfits(wanted, sizes)
    if problems:
        raise DataError(f"RAW does not fit {wanted.name}; {listing(problems)}")
    count = len({placement.stem for placement in placements})
    unpaired = wanted.unpaired or None  # said where it is so
    return Manifest(set=wanted.name, variant=wanted.variant, count=count, files=records, unpaired=unpaired)


def _place(placement: Placement, target: Path, wanted: FolderSet) -> tuple[int, int] | None:
    """Copy or change one file and return its height and width, None for what is no photo."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not is_photo(placement.source):
        shutil.copyfile(placement.source, target)
        return None
    photo = pixels(placement.source) if placement.make is None else placement.make()
    if wanted.change is None and placement.make is None:
        shutil.copyfile(placement.source, target)
    else:
        photo = photo if wanted.change is None else wanted.change(photo)
        target.write_bytes(cv2.imencode(".png", np.ascontiguousarray(photo[..., ::-1]))[1].tobytes())
    return photo.shape[0], photo.shape[1]


def _repeat(first: Path, target: Path) -> None:
    """The same file under another name: one truth of many photos takes the room of one where the file system has links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(first)
    except OSError:
        shutil.copyfile(first, target)


def _misfits(wanted: FolderSet, sizes: Mapping[str, Mapping[str, tuple[int, int]]]) -> list[Problem]:
    problems = []
    for stem, layers in sizes.items():
        named = ", ".join(f"{role} {width}×{height}" for role, (height, width) in layers.items())
        expected = wanted.sizes.get(stem, wanted.sizes.get(""))
        if len(set(layers.values())) > 1:
            problems.append(Problem(repr(stem), f"has layers of different sizes ({named})"))
        elif not all(wanted.fits(stem, size) for size in layers.values()):
            says = f"has another size ({named}) than the set, {expected[1]}×{expected[0]}" if expected else _foreign(wanted, named)
            problems.append(Problem(repr(stem), says))
    return problems


def _foreign(wanted: FolderSet, named: str) -> str:
    return f"has the size ({named}) of another variant of {wanted.name} than {wanted.variant}; name that one with --set variant=…"
