"""``limpid convert``: make a weight file safe and let it say what it is."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from limpid.cli.inspect import WEIGHT_FILE, WHICH_WEIGHTS
from limpid.errors import UsageError


def convert(
    file: Annotated[Path, typer.Argument(help=WEIGHT_FILE)],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings that no tensor shows, e.g. activation=leaky_relu.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace OUT if it exists.")] = False,
    weights: Annotated[Literal["averaged", "raw"], typer.Option(help=WHICH_WEIGHTS)] = "averaged",
) -> None:
    """Write the network of any recognised checkpoint as a safetensors file that holds its name and settings."""
    from limpid.checkpoints.inspect import convert as rewrite
    from limpid.cli.inspect import show

    show(rewrite(file, out, overwrite=overwrite, weights=weights, settings=dict(map(_setting, settings or ()))))


def _setting(text: str) -> tuple[str, Any]:
    """``activation=relu``, ``local_window=384``, ``local_window=null``."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"a setting is KEY=VALUE, e.g. activation=leaky_relu; got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
