"""Named collections of sets, such as the six that every paper on reflection removal prints."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from limpid.errors import UnknownNameError, UsageError
from limpid.evaluation.sets import ALIASES, expected, noted
from limpid.files import read_file
from limpid.recipe.text import read

SUITES: Mapping[str, Sequence[str]] = {"sirr": ("table2", "real20", "objects", "postcard", "wild", "nature")}
"""Suite → short names of its sets, in the order of the table."""


def members(name: str) -> Mapping[str, str]:
    """Set → how many images it has and which variants circulate. Raises UnknownNameError with the nearest spelling."""
    if name not in SUITES:
        raise UnknownNameError("suite", name, SUITES)
    return {member: expected(ALIASES.get(member, member)) for member in SUITES[name]}


def choose(name: str, roots: Path | None) -> tuple[list[str], list[str]]:
    """What to give to ``--on`` for the sets of a suite that are here, and a line for each that is absent.

    ``roots``: a YAML file of ``SET: folder`` lines, relative to its own place; None: environment and ``data.yaml``. Raises
    UsageError for a file that cannot be read or names another set, and when nothing of the suite is here.
    """
    wanted = members(name)
    given = {} if roots is None else _roots(roots, wanted)
    present, absent = [], []
    for member, says in wanted.items():
        try:
            folder = given[member] if member in given else noted(member) if roots is None else None
        except UsageError:
            folder = None
        if folder is not None and folder.is_dir():
            present.append(f"{member}={folder}")
        else:
            where = f"{folder} is no folder" if folder is not None else f"no folder is named in {roots or 'data.yaml'}"
            absent.append(f"{member} ({says}) is absent and left out: {where}")
    if not present:
        raise UsageError(
            f"no set of the suite {name} is here; name folders in a YAML file, e.g. `real20: /data/real20`, with --roots"
        )
    return present, absent


def _roots(path: Path, wanted: Mapping[str, str]) -> dict[str, Path]:
    try:
        document = read(read_file(path).decode("utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"--roots {path} cannot be read ({fault}); expected lines such as `real20: /data/real20`") from fault
    long_names = {full: short for short, full in ALIASES.items()}
    roots = {}
    for name, folder in document.data.items():
        short = long_names.get(str(name), str(name))
        if short not in wanted:
            raise UnknownNameError(f"set of this suite (in {path})", str(name), wanted)
        if not isinstance(folder, str):
            raise UsageError(document.where(name).say(f"expected a folder; got {folder!r}"))
        roots[short] = path.parent / Path(folder).expanduser()
    return roots
