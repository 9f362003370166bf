"""``limpid models``: which networks there are, and which weights are shipped."""

from typing import Annotated

import typer

from limpid.progress import tell, tell_data


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
            tell_data(row.as_dict())
        return
    for row in rows:
        tell(f"{row.name}: {', '.join(row.tasks)}; layers {', '.join(row.layers)}")
        sizes = (f"{size} ({f'{count / 1e6:.2f} M' if count else 'needs an extra'})" for size, count in row.parameters.items())
        tell(f"  sizes   {', '.join(sizes)}")
        tell(f"  source  {row.source}")
        tell(f"  licence {row.licence}")
        for weights in row.weights:
            default = f", default for {', '.join(weights.default_for)}" if weights.default_for else ""
            tell(f"  weights {weights.name} ({weights.size}, {weights.licence}{default}): {weights.score}")
