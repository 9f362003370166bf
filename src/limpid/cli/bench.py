"""``limpid bench``: a table of what every backend takes."""

import json
from dataclasses import asdict

import typer

from limpid.cli.from_options import takes
from limpid.runtime.options import BenchOptions


@takes(BenchOptions)
def bench(options: BenchOptions) -> None:
    """Time networks with every backend: CPU milliseconds of a forward, memory, difference to float32."""
    from limpid.evaluation.bench import bench as measure

    if not options.as_json:
        typer.echo(f"{'model':<18} {'size':>10} {'backend':<17} {'ms':>8} {'MP/s':>7} {'times':>6} {'MB':>6}  largest, mean of 255")
    for row in measure(options):
        if options.as_json:
            typer.echo(json.dumps(asdict(row)))
            continue
        size = f"{row.size[0]}x{row.size[1]}"
        figures = (
            row.error
            or f"{row.milliseconds:>8.0f} {row.megapixels_per_second:>7.2f} {row.times:>6.2f} {row.peak_bytes / 1e6:>6.0f}"
            f"  {255 * row.largest:.2f}, {255 * row.mean:.3f}"
        )
        typer.echo(f"{row.model:<18.18} {size:>10} {row.backend:<17} {figures}")
