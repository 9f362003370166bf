"""Synthetic data as files: drawn as plain data, made from that alone, and made again from the manifest to the same bytes."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from limpid.data.decode import is_photo, size
from limpid.data.manifest import NAME, FileRecord, Manifest, sha256
from limpid.data.origin import Origin, maker, read_origin
from limpid.data.pairing import listing
from limpid.data.photographs import Photographs
from limpid.data.sheet import SHEET, Sheet
from limpid.data.synthesis_kinds import Kind
from limpid.data.wishes import Wish, plan
from limpid.errors import DataError, UsageError
from limpid.image.write import write
from limpid.progress import bar

_UNITS = {"leaves": "chart", "pairs": "pair", "kernels": "kernel"}


def synthesise(wish: Wish, out: Path, *, sheet: bool = False, overwrite: bool = False, quiet: bool = True) -> Manifest:
    """Make what is wished for as the folder ``out``, whole or not at all, with ``manifest.json``.

    ``sheet``: also a contact sheet. ``overwrite``: replace ``out`` when it is a synthesised set. ``quiet`` hides the progress
    bar. Raises UsageError (names and settings included) for a wish that makes no sense and DataError for unfit photos.
    """
    out = out.resolve()
    _check_place(out, wish.source, overwrite)
    origin, photos, count = plan(wish, sheet=sheet)
    kind = maker(origin, photos)
    width = max(4, len(str(count - 1)))
    items = {f"{index:0{width}d}": dict(kind.draw(origin.seed, index)) for index in range(count)}
    return _make(replace(origin, items=items), kind, out, quiet=quiet)


def regenerate(path: Path, out: Path, *, source: Path | None = None, overwrite: bool = False, quiet: bool = True) -> Manifest:
    """Make the set of the manifest ``path`` (or of its folder) again as ``out``, from the recorded draws, byte for byte.

    ``source``: where its photos lie now, if they moved. Raises DataError when the manifest is none of a synthesised set,
    when the photos differ from those it lists, and when a file would differ from what it records; ``out`` is then not made.
    """
    manifest = Manifest.read_file(path / NAME if path.is_dir() else path)
    origin = read_origin(manifest, path)
    out = out.resolve()
    photos = _same_photos(origin, source)
    _check_place(out, photos.folder if photos else None, overwrite)
    try:
        return _make(origin, maker(origin, photos), out, quiet=quiet, recorded=manifest.files)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds draws of which nothing can be made ({type(error).__name__}: {error})") from error


def _same_photos(origin: Origin, moved: Path | None) -> Photographs | None:
    if origin.source is None:
        return None
    recorded = Path(origin.source.folder) if origin.source.folder else None
    photos = Photographs(moved or recorded)
    photos.check(origin.source)
    return photos


def _check_place(out: Path, source: Path | None, overwrite: bool) -> None:
    """Refuse what would mix with, or overwrite, somebody's files."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; OUT is the folder to be made")
    if source is not None and source.resolve().is_relative_to(out):
        raise UsageError(f"the photos of --source lie in OUT ({out}); choose another OUT")
    if not out.exists() or not any(out.iterdir()):
        return
    if not overwrite:
        raise UsageError(f"{out} exists and is not empty; choose another OUT or add --overwrite")
    if not (out / NAME).is_file() or Manifest.read(out).origin is None:
        raise UsageError(f"{out} was not made by `limpid synthesise`, so it is not replaced; choose another OUT or remove it")


def _make(origin: Origin, kind: Kind, out: Path, *, quiet: bool, recorded: Mapping[str, FileRecord] | None = None) -> Manifest:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", suffix=".partial", dir=out.parent) as scratch:
            folder = Path(scratch, "new")
            folder.mkdir()
            _fill(origin, kind, folder, quiet)
            files = _records(folder)
            _check_same(files, recorded)
            manifest = Manifest(
                set=origin.kind, variant=origin.preset or "", count=len(origin.items), files=files, origin=asdict(origin)
            )
            manifest.write(folder)
            _put(folder, out, Path(scratch, "old"))
    except OSError as error:
        raise DataError(f"{out} cannot be made ({error.strerror or error}); free some space or choose another OUT") from error
    return manifest


def _fill(origin: Origin, kind: Kind, folder: Path, quiet: bool) -> None:
    sheet = Sheet()
    with bar(total=len(origin.items), unit=_UNITS[origin.kind], quiet=quiet) as progress:
        for pictures, (name, drawn) in zip(kind.write(origin.items, folder), origin.items.items(), strict=True):
            sheet.add(" ".join([name, *filter(None, [drawn.get("mixture")])]), pictures)
            progress.advance(name)
    if origin.sheet:
        write(sheet.pixels(), folder / SHEET)


def _records(folder: Path) -> dict[str, FileRecord]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): FileRecord(size=size(path) if is_photo(path) else None, sha256=sha256(path))
        for path in paths
    }


def _check_same(files: Mapping[str, FileRecord], recorded: Mapping[str, FileRecord] | None) -> None:
    if recorded is None:
        return
    differing = [name for name in sorted({*files, *recorded}) if files.get(name) != recorded.get(name)]
    if differing:
        raise DataError(
            f"what was made differs from the manifest; {listing(differing)}. Its draws were changed, or it was made by other"
            " versions of limpid, NumPy, torch or Pillow, or on another processor."
        )


def _put(folder: Path, out: Path, aside: Path) -> None:
    """Put the finished folder in its place; what lay there goes aside, and comes back should that fail."""
    if not out.exists():
        folder.rename(out)
        return
    out.rename(aside)
    try:
        folder.rename(out)
    except OSError:
        aside.rename(out)
        raise
