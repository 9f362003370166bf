"""``limpid plot``: the curves of runs as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from limpid.progress import tell


def plot(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, such as runs/NAME; several share each panel.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The PNG (of one run: RUN/curves.png).")] = None,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Draw losses, scores and learning rates of trainings over their steps.

    limpid plot runs/limpid_finetune

    limpid plot runs/one runs/other -o both.png
    """
    from limpid.training.curves import CURVES, draw_curves

    tell(str(draw_curves(runs, out or (runs[0] / CURVES if len(runs) == 1 else Path(CURVES)))))
