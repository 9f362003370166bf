"""``limpid inspect``: what a weight file is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from limpid.progress import tell, tell_data

if TYPE_CHECKING:
    from limpid.checkpoints.inspect import Inspection

WEIGHT_FILE = "A .pt, .pth, .ckpt, .bin, .safetensors or .onnx file, or the folder of an experiment; nothing in it is run."
WHICH_WEIGHTS = "Of a file with both: averaged or raw."


def inspect(
    file: Annotated[Path, typer.Argument(help=WEIGHT_FILE)],
    weights: Annotated[Literal["averaged", "raw"], typer.Option(help=WHICH_WEIGHTS)] = "averaged",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say which network a weight file holds: settings, parameters, size, licence and training where the file says so."""
    from dataclasses import asdict

    from limpid.checkpoints.inspect import inspect as look

    about = look(file, weights)
    if as_json:
        tell_data(asdict(about))
    else:
        show(about)


def show(about: "Inspection") -> None:
    """Print what a file is, a line for each thing known."""
    size = f" ({about.size})" if about.size else ""
    tell(f"{about.file}: {about.model}{size}, {' or '.join(about.tasks)}; layers {', '.join(about.layers)}")
    tell(f"  settings    {', '.join(f'{name}={value}' for name, value in about.settings.items()) or 'defaults'}")
    tell(f"  parameters  {about.parameters:,} ({', '.join(about.precision)})")
    tell(f"  size        {about.bytes / 1e6:.1f} MB, sha256 {about.sha256[:16]}…")
    tell(f"  source      {about.source}")
    tell(f"  licence     {about.licence}")
    tell(f"  trained on  {about.trained_on}")
    for name, value in about.notes.items():
        tell(f"  {name:<11} {json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}")
    for remark in about.remarks:
        tell(f"  note        {remark}")
