"""Turn a run into weights for inference: ``python -m limpid.training.publish RUN OUT.safetensors``."""

import json
from pathlib import Path
from typing import Annotated

import torch
import typer

from limpid.checkpoints import file
from limpid.errors import DataError
from limpid.weights.store import sha256


def publish(run: Path, out: Path) -> None:
    """Write the averaged weights of ``run/last.pt`` in float16, with the plan they were trained by.

    Raises DataError when the run holds no checkpoint.
    """
    source = run / "last.pt"
    if not source.is_file():
        raise DataError(f"{run} holds no last.pt; train first")
    state = torch.load(source, weights_only=True, map_location="cpu")
    tensors = {name: tensor.half() for name, tensor in state["average"].items()}
    notes = {"step": state["step"], "plan": state["plan"]}
    file.save(out, file.Checkpoint(model=state["plan"]["model"], settings=state["settings"], tensors=tensors, notes=notes))


def main(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
) -> None:
    """Write a run's averaged weights in float16 and print what the manifest needs."""
    publish(run, out)
    typer.echo(json.dumps({"file": out.name, "sha256": sha256(out), "bytes": out.stat().st_size}))


if __name__ == "__main__":
    typer.run(main)
