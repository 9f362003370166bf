"""``limpid models``: which networks there are, and which weights are shipped."""

import json
from typing import Annotated

import typer


def models(
    task: Annotated[str | None, typer.Option(help="Only networks of this task: reflection, intrinsic, denoise, deblur.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per network.")] = False,
) -> None:
    """List the networks with tasks, sizes, parameters and sources, and the weights that are shipped."""
    from limpid.layers.task import find_task
    from limpid.models._build import describe

    if task is not None:
        find_task(task)
    rows = [row for row in describe() if task is None or task in row.tasks]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row.as_dict(), ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row.name}: {', '.join(row.tasks)}; layers {', '.join(row.layers)}")
        sizes = (f"{size} ({f'{count / 1e6:.2f} M' if count else 'needs an extra'})" for size, count in row.parameters.items())
        typer.echo(f"  sizes   {', '.join(sizes)}")
        typer.echo(f"  source  {row.source}")
        typer.echo(f"  licence {row.licence}")
        for weights in row.weights:
            default = f", default for {', '.join(weights.default_for)}" if weights.default_for else ""
            typer.echo(f"  weights {weights.name} ({weights.size}, {weights.licence}{default}): {weights.score}")
