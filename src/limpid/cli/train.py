"""``limpid train``: from a recipe to weights."""

import json
from typing import Annotated

import typer

from limpid.cli.from_options import takes
from limpid.progress import tell
from limpid.training.options import TrainOptions


@takes(TrainOptions)
def train(
    options: TrainOptions,
    listing: Annotated[bool, typer.Option("--list", help="Show the shipped recipes.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of recipes, for editors.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show recipe, sizes, memory, first batch and a contact sheet; keeps no step.")
    ] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Train a network by a recipe; leaves OUT/NAME with records, the state to resume from, and the best weights.

    limpid train limpid PHOTOS=~/photos HELD=~/held_out LEAVES=~/leaves

    limpid train --resume runs/limpid --max-minutes 30
    """
    if schema:
        _show_schema()
    elif listing:
        _show_recipes()
    elif dry_run:
        from limpid.training.dry_run import dry_run as look
        from limpid.training.load_recipe import load_recipe

        loaded, folder = load_recipe(options)
        _tell_lines(look(loaded, folder, options))
    else:
        from limpid.training.trainer import train as run

        code = run(options).exit_code
        if code:
            raise typer.Exit(code)


def _tell_lines(text: str) -> None:
    for line in text.split("\n"):
        tell(line)


def _show_schema() -> None:
    from limpid.data.augment import Augment
    from limpid.recipe.json_schema import schema

    _tell_lines(json.dumps(schema(Augment), indent=2))


def _show_recipes() -> None:
    from limpid.recipe.load import describe, shipped

    for name in shipped():
        summary = describe(name)
        tell(f"{name}: {summary.line}")
        tell(f"  source {summary.source}")
