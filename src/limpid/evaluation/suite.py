"""Named collections of sets: the test sets of reflection removal, and those of denoising and deblurring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from limpid.errors import UnknownNameError, UsageError
from limpid.evaluation.options import EvaluateOptions
from limpid.evaluation.sets import ALIASES, expected, noted
from limpid.files import read_file
from limpid.recipe.text import read


@dataclass(frozen=True, kw_only=True)
class Member:
    """How a set is measured in a suite: as pairs, or as clean photos under ``degrade``, in centre crops of ``crop`` pixels.

    ``degrade``: as for ``--degrade``; ``crop``: side of a square, None for whole photos; ``metrics``: measures of its published
    figures beside those of the protocol.
    """

    degrade: Sequence[str] = ()
    crop: int | None = None
    metrics: Sequence[str] = ()

    @property
    def says(self) -> str:
        """What is done to its photos; empty for pairs."""
        return ", ".join((*self.degrade, *(() if self.crop is None else (f"centre crops of {self.crop}",))))


_PAIRS = Member()
_NOISE = ("noise:sigma=15,25,50",)

SUITES: Mapping[str, Mapping[str, Member]] = {
    "sirr": dict.fromkeys(("table2", "real20", "objects", "postcard", "wild", "nature", "openrr_1k", "openrr_5k", "cdr"), _PAIRS),
    "restoration": {
        "kodak24": Member(degrade=_NOISE, crop=500),  # what the published tables call Kodak24
        **dict.fromkeys(("cbsd68", "mcmaster", "urban100"), Member(degrade=_NOISE)),
        "gopro": _PAIRS,
        "realblur": Member(metrics=("psnr_y", "ssim_y")),
    },
}
"""Suite → short names of its sets and how they are measured, in the order of the table."""


def members(name: str) -> Mapping[str, str]:
    """Set → how many images it has, which variants circulate, and what is done to them.

    Raises UnknownNameError with the nearest spelling.
    """
    return {
        member: "; ".join(filter(None, (expected(ALIASES.get(member, member)), how.says))) for member, how in _suite(name).items()
    }


def choose(name: str, roots: Path | None) -> tuple[list[tuple[str, Member]], list[str]]:
    """The sets of a suite that are here, as for ``--on``, each with how it is measured, and a line for each that is absent.

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
            present.append((f"{member}={folder}", _suite(name)[member]))
        else:
            where = f"{folder} is no folder" if folder is not None else f"no folder is named in {roots or 'data.yaml'}"
            absent.append(f"{member} ({says}) is absent and left out: {where}")
    if not present:
        first = next(iter(wanted))
        raise UsageError(
            f"no set of the suite {name} is here; name folders in a YAML file, e.g. `{first}: /data/{first}`, with --roots"
        )
    return present, absent


def with_measures(options: EvaluateOptions) -> EvaluateOptions:
    """The same, with the measures that figures of the sets of its suite were printed in, where these are here."""
    if options.suite is None:
        return options
    further = (name for _, member in choose(options.suite, options.roots)[0] for name in member.metrics)
    return replace(options, metrics=tuple(dict.fromkeys((*options.metrics, *further))))


def _suite(name: str) -> Mapping[str, Member]:
    if name not in SUITES:
        raise UnknownNameError("suite", name, SUITES)
    return SUITES[name]


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
