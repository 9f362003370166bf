"""``limpid film``: a film, a camera or raw frames, one frame after another."""

from limpid.cli.from_options import takes
from limpid.progress import say
from limpid.runtime.options import FilmOptions


@takes(FilmOptions)
def film(options: FilmOptions) -> None:
    """Run a network over every frame of a film, of a camera or of standard input; says how many frames a second it did."""
    from limpid.runtime.film import film as run

    done = run(options)
    if not options.quiet:
        say(f"{options.output}: {done.frames} frames, {done.rate:.2f} a second")
