"""``limpid prepare``: a downloaded data set in the one layout, or the check of one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from limpid.catalogue import Settings
from limpid.cli.stops import whole_or_nothing
from limpid.data.options import parse_settings
from limpid.errors import UsageError
from limpid.progress import say, tell


def prepare(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="SET RAW OUT", help="Name, download (folder or zip), result.")
    ] = None,
    variant: Annotated[str | None, typer.Option(help="Which one of several in circulation; see --list.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the set, e.g. names=voc.txt.")
    ] = None,
    check: Annotated[Path | None, typer.Option("--check", metavar="DIR", help="Verify a set, or any folder of photos.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="Name the sets, their variants and their sources.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Lay a download out as blended/, transmission_layer/, reflection_layer/ with manifest.json; RAW is never written to.

    limpid prepare real20 downloads/real20.zip data/real20

    limpid prepare --check data/real20
    """
    given = words or []
    if sum((bool(given), check is not None, listing)) != 1 or ((variant or settings) and not given):
        raise UsageError("give SET RAW OUT, or --check DIR, or --list; see `limpid prepare --help`")
    if listing:
        _list()
    elif check is not None:
        _check(check, quiet)
    elif len(given) != 3:
        raise UsageError(f"expected SET RAW OUT, e.g. `limpid prepare real20 real20.zip data/real20`; got {' '.join(given)!r}")
    else:
        chosen = parse_settings([*(settings or []), *([f"variant={variant}"] if variant else [])])
        _prepare(given[0], Path(given[1]), Path(given[2]), chosen, quiet)


def _prepare(name: str, raw: Path, out: Path, settings: Settings, quiet: bool) -> None:
    from limpid.data.prepare import prepare as tidy

    existed = out.is_dir() and any(out.iterdir())  # prepare refuses what is there, unless it is this very set
    with whole_or_nothing():
        manifest = tidy(name, raw, out, settings=settings, quiet=quiet)
    if not quiet:
        done = "nothing to do: it is" if existed else "wrote"
        tell(f"{out}: {done} {manifest.label}, {len(manifest.files)} files")


def _check(folder: Path, quiet: bool) -> None:
    from limpid.data.manifest import check

    report = check(folder, quiet=quiet)
    for problem in report.problems:
        tell(f"{folder / problem.file} {problem.what}")
    if not report.ok:
        say(f"limpid: {len(report.problems)} of {report.checked} files of {folder} are wrong or missing")
        raise typer.Exit(1)
    if not quiet:
        held = f" as {report.manifest.label}" if report.manifest else ""
        tell(f"{folder}: {report.checked} files are whole{held}")


def _list() -> None:
    from limpid.data.prepare import describe

    for row in describe():
        variants = f" ({', '.join(row.variants)})" if row.variants else ""
        held = {variant: _held(counts, size) for variant, (counts, size) in row.holds.items()}
        alike = len({*held.values()}) == 1
        images = next(iter(held.values())) if alike else ", ".join(f"{text} ({variant})" for variant, text in held.items())
        tell(f"{row.name}{variants}: {row.task or 'any task'}; {row.source}")
        tell(f"  images  {images}")
        tell(f"  licence {row.licence}")
        tell(f"  home    {row.home or 'none'}")


def _held(counts: Sequence[int], size: tuple[int, int] | None) -> str:
    """``199 or 200``, ``24 of 768×512``."""
    number = " or ".join(f"{count:,}" for count in counts) or "any number"
    return f"{number} of {size[1]}×{size[0]}" if size else number
