"""``limpid models``: which networks there are, one of them in full, and where the files of their weights are."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from limpid.errors import UsageError
from limpid.progress import tell, tell_data

if TYPE_CHECKING:
    from limpid.models._build import Description
    from limpid.runtime.model_files import ModelFile
    from limpid.weights.manifest import Row

_WORDS = (
    "NAME: the card of one; download NAME…: fetch what is not shipped; verify [NAME…]: checksums; path [NAME…]: where files lie."
)


def models(
    words: Annotated[list[str] | None, typer.Argument(metavar="[NAME | download|verify|path [NAME]…]", help=_WORDS)] = None,
    task: Annotated[str | None, typer.Option(help="Only networks of this task: reflection, intrinsic, denoise, deblur.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per network, or per file.")] = False,
) -> None:
    """List the networks with tasks, sizes, licence and shipped weights as a table, show the card of one, or see to its files.

    limpid models

    limpid models dsrnet

    limpid models download vgg19

    limpid models verify
    """
    first, *names = words or [""]
    if first in _FILES:
        if task is not None:
            raise UsageError(f"`limpid models {first}` takes names, not --task")
        _FILES[first](names, as_json)
    elif names:
        raise UsageError(f"the card is of one network; got {' '.join(words or [])}; see `limpid models --help`")
    else:
        _describe(first or None, task, as_json)


def _describe(name: str | None, task: str | None, as_json: bool) -> None:
    from limpid import catalogue
    from limpid.layers.task import find_task
    from limpid.models._build import describe

    if name is not None and task is not None:
        raise UsageError("give NAME or --task, not both; see `limpid models --help`")
    if task is not None:
        find_task(task)
    if name is not None:
        catalogue.find("models", name)  # a misspelt name is said with the nearest
    rows = [row for row in describe(None if name is None else [name]) if task is None or task in row.tasks]
    if as_json:
        for row in rows:
            tell_data(row.as_dict())
    elif name is not None:
        _card(rows[0])
    else:
        _table(rows)


def _download(names: Sequence[str], as_json: bool) -> None:
    from limpid.runtime.model_files import known_names, model_files

    if not names:
        raise UsageError(f"name what to download: {', '.join(known_names())}")
    _tell_files(model_files(names, download=True), as_json, lambda file: file.path or f"{file.name}: {file.says}")


def _verify(names: Sequence[str], as_json: bool) -> None:
    from limpid.runtime.model_files import model_files

    def line(file: "ModelFile") -> str:
        if file.state == "absent":
            return f"--  {file.name}: not here ({file.says})" if names else f"--  {file.name}: not here"
        if file.state == "damaged":
            return f"BAD {file.name}: {file.says}"
        return f"ok  {file.name}: sha256 {file.sha256}, {file.path}{f' ({file.says})' if file.says else ''}"

    found = model_files(names)
    _tell_files(found, as_json, line)
    if any(file.state == "damaged" or (names and file.state == "absent") for file in found):
        raise typer.Exit(1)


def _path(names: Sequence[str], as_json: bool) -> None:
    from limpid.runtime.model_files import model_files
    from limpid.weights.fetch import cache_folder

    if not names:
        tell_data({"cache": str(cache_folder())}) if as_json else tell(str(cache_folder()))
        return
    found = model_files(names)
    there = [file for file in found if file.path is not None]
    _tell_files(found if as_json else there, as_json, lambda file: str(file.path))
    lacking = [file.name for file in found if file.path is None]
    if lacking:
        raise UsageError(
            f"not here, or damaged: {', '.join(lacking)}; `limpid models download {lacking[0]}` fetches what has a home"
        )


_FILES: Mapping[str, Callable[[Sequence[str], bool], None]] = {"download": _download, "verify": _verify, "path": _path}


def _tell_files(files: Sequence["ModelFile"], as_json: bool, line: Callable[["ModelFile"], str]) -> None:
    for file in files:
        if as_json:
            tell_data(asdict(file))
        else:
            tell(line(file))


def _table(rows: Sequence["Description"]) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD)
    for title in ("network", "tasks", "sizes (parameters)", "licence", "shipped weights"):
        shown.add_column(title, overflow="fold")
    for row in rows:
        weights = "; ".join(f"{it.name} ({it.size}){_default(it)}" for it in row.weights)
        licence = re.split("[:;]", row.licence)[0]  # what it means for a reader stands on the card
        shown.add_row(row.name, ", ".join(row.tasks), ", ".join(_sizes(row)), licence, weights)
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(shown)
    tell("`limpid models NAME` shows layers, source, licence and scores of one.")


def _card(row: "Description") -> None:
    tell(f"{row.name}: {', '.join(row.tasks)}; layers {', '.join(row.layers)}")
    tell(f"  sizes   {', '.join(_sizes(row))}")
    tell(f"  source  {row.source}")
    tell(f"  licence {row.licence}")
    for weights in row.weights:
        tell(f"  weights {weights.name} ({weights.size}, {weights.licence}{_default(weights)}): {weights.score}")


def _default(weights: "Row") -> str:
    return f", default for {', '.join(weights.default_for)}" if weights.default_for else ""


def _sizes(row: "Description") -> list[str]:
    return [f"{size} ({f'{count / 1e6:.2f} M' if count else 'needs an extra'})" for size, count in row.parameters.items()]
