"""``limpid models``: which networks there are, one of them in full, and which weights are shipped."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from limpid.errors import UsageError
from limpid.progress import tell, tell_data

if TYPE_CHECKING:
    from limpid.models._build import Description


def models(
    name: Annotated[str | None, typer.Argument(help="One network in full.")] = None,
    task: Annotated[str | None, typer.Option(help="Only networks of this task: reflection, intrinsic, denoise, deblur.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per network.")] = False,
) -> None:
    """List the networks with tasks, sizes, parameters and shipped weights as a table, or show the card of one.

    limpid models

    limpid models dsrnet
    """
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


def _table(rows: Sequence["Description"]) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD)
    for title in ("network", "tasks", "sizes (parameters)", "shipped weights"):
        shown.add_column(title, overflow="fold")
    for row in rows:
        defaults = {it.name: f", default for {', '.join(it.default_for)}" if it.default_for else "" for it in row.weights}
        weights = "; ".join(f"{it.name} ({it.size}){defaults[it.name]}" for it in row.weights)
        shown.add_row(row.name, ", ".join(row.tasks), ", ".join(_sizes(row)), weights)
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(shown)
    tell("`limpid models NAME` shows layers, source, licence and scores of one.")


def _card(row: "Description") -> None:
    tell(f"{row.name}: {', '.join(row.tasks)}; layers {', '.join(row.layers)}")
    tell(f"  sizes   {', '.join(_sizes(row))}")
    tell(f"  source  {row.source}")
    tell(f"  licence {row.licence}")
    for weights in row.weights:
        default = f", default for {', '.join(weights.default_for)}" if weights.default_for else ""
        tell(f"  weights {weights.name} ({weights.size}, {weights.licence}{default}): {weights.score}")


def _sizes(row: "Description") -> list[str]:
    return [f"{size} ({f'{count / 1e6:.2f} M' if count else 'needs an extra'})" for size, count in row.parameters.items()]
