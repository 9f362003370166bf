"""Synthetic data as files: drawn as plain data, made from that alone, and made again from the manifest to the same bytes."""

import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from limpid import catalogue
from limpid._version import __version__
from limpid.catalogue import Settings
from limpid.data.decode import size
from limpid.data.manifest import NAME, FileRecord, Manifest
from limpid.data.options import Size, SynthesisOptions
from limpid.data.pairing import listing
from limpid.data.photographs import Photographs
from limpid.data.provenance import SETTINGS, Provenance, check_names, maker, read_provenance, settled
from limpid.data.synthesis_kinds import Kind
from limpid.errors import DataError, SettingError, UsageError
from limpid.files import is_special, sha256
from limpid.image.contact_sheet import SHEET, ContactSheet
from limpid.image.formats import is_photo
from limpid.image.write import write
from limpid.physics.leaves.presets import PRESETS, Preset
from limpid.progress import bar

KINDS: Mapping[str, Size | None] = {"leaves": (512, 512), "scenes": (512, 512), "pairs": (224, 224), "kernels": None}
"""Kind of data → default size; None: each as large as it needs."""

_COUNT = 10


def plan(options: SynthesisOptions) -> tuple[Provenance, Photographs | None, int]:
    """Everything settled but the items; the photos, if any take part; the number of items.

    Raises UnknownNameError, SettingError and UsageError for options that make no sense, DataError for its source.
    """
    kind = _check(options)
    preset = PRESETS[options.preset] if options.preset else None
    chosen = {**(asdict(preset.chart) if preset else {}), **options.settings}
    settings = settled(kind, chosen)
    plain = {name: value for name, value in (asdict(settings) if settings else {}).items() if name in SETTINGS[kind][1]}
    photos = _photos(options, plain)
    origin = Provenance(
        limpid=__version__,
        kind=kind,
        preset=options.preset,
        seed=_seed(options, preset),
        size=options.size or ((preset.side, preset.side) if preset else KINDS[kind]),
        settings=plain,
        mixtures=tuple(options.mixtures) or (("glass",) if kind == "pairs" else ()),
        degradations=tuple(options.degradations),
        source=photos.source() if photos is not None else None,
        items={},
        sheet=options.sheet,
    )
    return origin, photos, options.count or (preset.count if preset else _COUNT)


def _check(options: SynthesisOptions) -> str:
    kind = options.kind or ""
    check_names("kind of synthetic data", [kind], KINDS)
    check_names("preset", [options.preset] if options.preset else [], PRESETS)
    check_names("mixture", options.mixtures, catalogue.names("mixtures"))
    check_names("degradation", options.degradations, catalogue.names("degradations"))
    for option, given, owner in (
        ("--preset", options.preset, "leaves"),
        ("--degradation", options.degradations, "leaves"),
        ("--mixture", options.mixtures, "pairs"),
    ):
        if given and kind != owner:
            raise UsageError(f"{option} concerns {owner}, not {kind}; leave it out")
    if options.count is not None and options.count < 1:
        raise SettingError(f"--count starts at 1; got {options.count}")
    if options.seed is not None and options.seed < 0:
        raise SettingError(f"--seed starts at 0; got {options.seed}")
    return kind


def _photos(options: SynthesisOptions, settings: Settings) -> Photographs | None:
    natural = settings.get("colours") == "natural"
    if options.kind != "pairs" and not natural:
        if options.source is not None:
            raise UsageError("--source lends photos to pairs and to leaves with --set colours=natural; nothing here uses it")
        return None
    if options.preset and options.source is None:
        raise UsageError(f"the preset {options.preset} takes its colours from DIV2K's training photos; name them with --source")
    return Photographs(options.source)


def _seed(options: SynthesisOptions, preset: Preset | None) -> int:
    if options.seed is not None:
        return options.seed
    return preset.seed if preset else 0


_UNITS = {"leaves": "chart", "scenes": "scene", "pairs": "pair", "kernels": "kernel"}


def synthesise(options: SynthesisOptions) -> Manifest:
    """Make what is wished for as the folder ``options.out``, whole or not at all, with ``manifest.json``.

    Raises UsageError (names and settings included) for options that make no sense, DataError for unfit photos, and what
    ``regenerate`` raises.
    """
    assert options.out is not None
    out = options.out.resolve()
    if options.manifest is not None:
        return regenerate(options.manifest, out, source=options.source, overwrite=options.overwrite, quiet=options.quiet)
    _check_place(out, options.source, options.overwrite)
    origin, photos, count = plan(options)
    kind = maker(origin, photos)
    width = max(4, len(str(count - 1)))
    items = {f"{index:0{width}d}": dict(kind.draw(origin.seed, index)) for index in range(count)}
    return _make(replace(origin, items=items), kind, out, quiet=options.quiet)


def regenerate(path: Path, out: Path, *, source: Path | None, overwrite: bool, quiet: bool) -> Manifest:
    """Make the set of the manifest ``path`` (or of its folder) again as ``out``, from the recorded draws, byte for byte.

    ``source``: where its photos lie now, if they moved. Raises DataError when the manifest is none of a synthesised set,
    when the photos differ from those it lists, and when a file would differ from what it records; ``out`` is then not made.
    """
    manifest = Manifest.read_file(path / NAME if path.is_dir() else path)
    origin = read_provenance(manifest, path)
    photos = _same_photos(origin, source)
    _check_place(out, photos.folder if photos else None, overwrite)
    try:
        return _make(origin, maker(origin, photos), out, quiet=quiet, recorded=manifest.files)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds draws of which nothing can be made ({type(error).__name__}: {error})") from error


def _same_photos(origin: Provenance, moved: Path | None) -> Photographs | None:
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
    _check_ours(out)


def _check_ours(out: Path) -> None:
    """Refuse a folder that holds anything but what `limpid synthesise` made there: replacing it would lose the rest."""
    if not (out / NAME).is_file() or Manifest.read(out).origin is None:
        raise UsageError(f"{out} was not made by `limpid synthesise`, so it is not replaced; choose another OUT or remove it")
    others = _not_made(out, Manifest.read(out))
    if others:
        raise UsageError(f"{out} holds what `limpid synthesise` did not make or somebody changed; {listing(others)}. Move it away.")


def _not_made(out: Path, manifest: Manifest) -> list[str]:
    """What below ``out`` is not, to the byte, what its manifest records."""
    found = []
    for folder, folders, names in os.walk(out):
        for path in (Path(folder, name) for name in sorted([*names, *folders])):
            name = path.relative_to(out).as_posix()
            if path.is_dir() and not path.is_symlink() or name == NAME:
                continue
            record = manifest.files.get(name)
            if record is None or path.is_symlink() or is_special(path) or sha256(path) != record.sha256:
                found.append(name)
    return found


def _make(origin: Provenance, kind: Kind, out: Path, *, quiet: bool, recorded: Mapping[str, FileRecord] | None = None) -> Manifest:
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


def _fill(origin: Provenance, kind: Kind, folder: Path, quiet: bool) -> None:
    sheet = ContactSheet()
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
    if any(out.iterdir()):  # making took its time, and somebody may have put a file there meanwhile
        _check_ours(out)
    out.rename(aside)
    try:
        folder.rename(out)
    except OSError:
        aside.rename(out)
        raise
