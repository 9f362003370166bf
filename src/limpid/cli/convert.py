"""``limpid convert``: make a weight file safe and let it say what it is."""

from pathlib import Path
from typing import Annotated

import typer


def convert(
    file: Annotated[Path, typer.Argument(help="A .pt, .pth, .ckpt, .bin or .safetensors file; nothing in it is run.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    overwrite: Annotated[bool, typer.Option(help="Replace OUT if it exists.")] = False,
) -> None:
    """Write the network of any recognised checkpoint as a safetensors file that holds its name and settings."""
    from limpid.checkpoints.inspect import convert as rewrite
    from limpid.cli.inspect import show

    show(rewrite(file, out, overwrite=overwrite))
