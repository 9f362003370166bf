"""``limpid export``: a network as an ONNX file, compared with PyTorch before it is kept."""

import json

import typer

from limpid.cli.from_options import takes
from limpid.runtime.options import ExportOptions


@takes(ExportOptions)
def export(options: ExportOptions) -> None:
    """Write a network as an ONNX file that holds all that running it needs, or as darktable's .dtmodel, after comparing both."""
    from limpid.runtime import darktable
    from limpid.runtime.export import export as write
    from limpid.runtime.export import summary_of

    exported = darktable.package(options) if options.output.suffix == darktable.SUFFIX else write(options)
    if options.as_json:
        differences = [{"size": one.size, "largest": one.largest, "mean": one.mean} for one in exported.differences]
        about = json.loads(exported.about.model_dump_json())
        typer.echo(json.dumps({"path": str(exported.path), "nodes": exported.nodes, "differences": differences, "about": about}))
    else:
        typer.echo(summary_of(exported))
