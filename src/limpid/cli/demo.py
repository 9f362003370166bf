"""``limpid demo``: see it work without a photo of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from limpid.options import OFFLINE_HELP
from limpid.progress import tell


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="The sheet: input, transmission, reflection, truth.")] = Path(
        "demo.png"
    ),
    model: Annotated[str, typer.Option("--model", "-m", help="Name of shipped weights, or a file.")] = "default",
    overwrite: Annotated[bool, typer.Option(help="Replace the sheet if it exists.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help=OFFLINE_HELP)] = False,
) -> None:
    """Blend two public-domain photographs through glass, separate them, write a before/after sheet, print PSNR before and after."""
    from limpid.errors import UsageError

    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists; choose another name with -o or add --overwrite")
    if not output.parent.is_dir():
        raise UsageError(f"{output.parent} is no folder; create it or choose another place with -o")
    from limpid.runtime.demo import show

    shown = show(output, model, offline=offline)
    tell(f"input         {shown.before:5.2f} dB to the truth")
    tell(f"transmission  {shown.after:5.2f} dB  ({shown.after - shown.before:+.2f} dB, {shown.model})")
    tell(f"wrote {output}")
