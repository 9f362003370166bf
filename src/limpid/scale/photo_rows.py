"""Which photos, wherever they lie, become which files: names and places checked before any worker starts; no photo is opened."""

import json
import unicodedata
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from limpid.errors import UsageError, printable
from limpid.image.find import Found, find, is_own_output
from limpid.image.formats import canonical, format_of, is_photo, unread_kind
from limpid.image.output_paths import output_names, place_below
from limpid.runtime.options import PhotoOptions
from limpid.runtime.photo_jobs import PIPE, layer_tags
from limpid.scale.places import files_at, is_address, join, local_path, name_of, names_in


@dataclass(frozen=True, kw_only=True)
class PhotoRow:
    """One photo: where it is, the folder its outputs go to, and the names there that it shall not write.

    ``alone``: nothing else could have a name like its outputs but for the extension; else a photo that is not of the format which
    its extension promises is refused, since its outputs would be called otherwise than was checked.
    """

    source: str
    folder: str
    keep: tuple[str, ...] = ()
    alone: bool = True

    @classmethod
    def from_json(cls, text: str) -> "PhotoRow":
        """Back from the JSON of its fields."""
        data = json.loads(text)
        return cls(**{**data, "keep": tuple(data["keep"])})


@dataclass(frozen=True, kw_only=True)
class PhotoRows:
    """All there is to do, the photos left out because they are done, and those not read here: place → kind."""

    rows: tuple[PhotoRow, ...]
    skipped: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    source: str
    folder: str
    names: tuple[str, ...]


def check_options(options: PhotoOptions) -> str:
    """The output folder or address. Raises UsageError for what makes no sense with workers elsewhere."""
    if options.output is None or options.output == PIPE or (format_of(options.output) and not is_address(options.output)):
        raise UsageError(
            "--engine ray needs -o FOLDER, a folder or an address such as s3://bucket/out; its manifest is kept there too"
        )
    if PIPE in options.photos:
        raise UsageError("--engine ray reads files and addresses, no pipe")
    refused = {
        "--jobs": options.jobs != 1,
        "--hint": options.hint is not None,
        "--protect": options.protect is not None,
        "--only": options.only is not None,
        "--preview": options.preview is not None,
        "--compare": options.compare,
        "--frames all": options.frames != "first",
        "--fail-fast": options.fail_fast,
        "--traceback": options.traceback,
    }
    for name in (name for name, given in refused.items() if given):
        raise UsageError(f"{name} is for one machine; leave it out with --engine ray")
    if options.resume and (options.overwrite or options.skip_existing or options.dry_run):
        raise UsageError("--resume goes on with a run; leave out --overwrite, --skip-existing and --dry-run")
    path = local_path(options.output)
    if path is not None and path.is_file():
        raise UsageError(f"{printable(path)}: it is a file; -o names a folder")
    return options.output if path is None else str(path)


def plan_rows(options: PhotoOptions, task: str, done: Container[str] = ()) -> PhotoRows:
    """One row per photo that is not ``done``. Raises UsageError and PlaceError for names and places that cannot be."""
    output, tags = check_options(options), list(layer_tags(options, task))
    format = None if options.format == "same" else canonical(options.format)
    unread: dict[str, str] = {}
    wanted = list(_wanted(options.photos, output, tags, format, unread))
    _refuse_collisions(wanted)
    stems = Counter((one.folder, _key(Path(one.source).stem)) for one in wanted)
    taken: dict[str, set[str]] = {}
    known: dict[str, set[str]] = {}
    rows, skipped = [], []
    for one in wanted:
        if one.source in done:
            skipped.append(one.source)
            continue
        if one.folder not in taken:
            taken[one.folder] = set() if options.resume or options.overwrite else names_in(one.folder)
            known[one.folder] = {_key(PurePosixPath(name).stem) for name in taken[one.folder]}
        keep = tuple(name for name in one.names if name in taken[one.folder])
        if keep and not options.skip_existing:
            existing = printable(join(one.folder, keep[0]))
            raise UsageError(f"{existing}: it exists; add --overwrite to replace it or --skip-existing to keep it")
        if len(keep) == len(one.names):
            skipped.append(one.source)
            continue
        cousins = {_key(PurePosixPath(name).stem) for name in one.names} & known[one.folder]
        alone = stems[one.folder, _key(Path(one.source).stem)] == 1 and not cousins
        rows.append(PhotoRow(source=one.source, folder=one.folder, keep=keep, alone=alone))
    return PhotoRows(rows=tuple(rows), skipped=tuple(skipped), unread=unread)


def _wanted(
    inputs: Sequence[str], output: str, tags: Sequence[str], format: str | None, unread: dict[str, str]
) -> Iterator[_Wanted]:
    """Every photo once, in the order given; ``unread`` gains photos not read here."""
    seen: set[str] = set()
    for text in inputs:
        for source, below in _meant(text, unread):
            if source not in seen:
                seen.add(source)
                names, _ = output_names(Path(name_of(source)), tags, format)
                yield _Wanted(source=source, folder=join(output, below), names=tuple(names.values()))


def _meant(text: str, unread: dict[str, str]) -> Iterator[tuple[str, PurePosixPath]]:
    """Photos that one word of the command line means, with the folders that their outputs lie in below the output."""
    if not is_address(text):
        found = find([str(text).removeprefix("file://")])
        unread.update({str(path): kind for path, kind in found.unread.items()})
        for item in found.photos:
            yield str(local_path(str(item.path))), PurePosixPath(place_below(Found(path=item.path, root=item.root)).as_posix())
        return
    count = 0
    for file in files_at(text):
        path = Path(name_of(file.address))
        if is_photo(path) and not is_own_output(path):
            count += 1
            yield file.address, file.below
        elif kind := unread_kind(path):
            unread[file.address] = kind
    if not count:
        raise UsageError(f"{printable(text)}: no photo there")


def _key(name: str) -> str:
    """Equal for names that some file system takes for one: case folded, accents composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _refuse_collisions(wanted: Sequence[_Wanted]) -> None:
    inputs = {_key(one.source) for one in wanted}
    taken: dict[str, str] = {}
    for one in wanted:
        for name in one.names:
            place = join(one.folder, name)
            key = _key(place)
            if key in inputs:
                raise UsageError(f"{printable(place)}: this output is also an input; choose another place with -o")
            if key in taken:
                both = f"{printable(taken[key])} and {printable(one.source)}"
                raise UsageError(f"{both} would both be written to {printable(place)}; rename one or do them apart")
            taken[key] = one.source
