"""``limpid synthesise``: seeded synthetic data with a manifest from which it can be made again."""

from typing import Annotated

import typer

from limpid.cli.from_options import takes
from limpid.cli.stops import whole_or_nothing
from limpid.data.options import SynthesisOptions
from limpid.progress import tell


@takes(SynthesisOptions)
def synthesise(
    options: SynthesisOptions,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Make dead leaves charts, painted scenes, pairs of photos through glass, or kernels of camera shake, with a manifest.

    limpid synthesise leaves OUT --count 100 --seed 7 --sheet

    limpid synthesise pairs OUT --source PHOTOS --mixture glass --mixture screen

    limpid synthesise --from OUT/manifest.json AGAIN
    """
    from limpid.data.synthesise import synthesise as make

    with whole_or_nothing():
        manifest = make(options)
    if not options.quiet:
        tell(f"wrote {options.out}: {manifest.label}, {len(manifest.files)} files and manifest.json")
