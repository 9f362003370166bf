"""``limpid evaluate``: any models and any folders of outputs, on any sets, by a protocol with a name."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limpid.cli.from_options import takes
from limpid.evaluation.options import EvaluateOptions
from limpid.progress import say, tell

if TYPE_CHECKING:
    from limpid.evaluation.results import Results


@takes(EvaluateOptions)
def evaluate(
    options: EvaluateOptions,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Measure models against the untouched input, the first row; scores are remembered in the report folder.

    limpid evaluate -m default --on table2=data/ceilnet_table2 --report out

    limpid evaluate -m net.pt --on data/kodak24 --degrade noise:sigma=15,25,50 --crop 500 --report curves

    limpid evaluate --suite sirr --roots roots.yaml --outputs theirs=results
    """
    from limpid.evaluation.suite import members
    from limpid.evaluation.write import write
    from limpid.scale.evaluation import evaluate_anywhere

    if options.suite is not None and not options.quiet:
        for member, says in members(options.suite).items():
            tell(f"{member}: {says}")
    results = evaluate_anywhere(replace(options, command=shlex.join(["limpid", *sys.argv[1:]])))
    written = write(results, options.report)
    _show(results, written, options.quiet)
    if any(score.error for score in results.scores):
        raise typer.Exit(1)


def _show(results: "Results", written: Sequence[Path], quiet: bool) -> None:
    if quiet:
        return
    from rich.console import Console

    from limpid.evaluation.paired import paired_table
    from limpid.evaluation.table_writers import console
    from limpid.evaluation.tables import field_table, main_table

    screen = Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False)
    for table in (main_table(results), field_table(results), paired_table(results)):
        if table is not None:
            screen.print(console(table))
    for note in results.notes:
        say(f"note: {note}")
    for path in written:
        tell(str(path))
