"""What a command says when it is stopped by Ctrl-C and has nothing to leave behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from limpid.progress import say


@contextmanager
def whole_or_nothing() -> Iterator[None]:
    """Run the block, which writes all of its result or nothing; when it is interrupted, say so and pass it on (exit code 130)."""
    try:
        yield
    except KeyboardInterrupt:
        say("limpid: stopped; nothing was written")
        raise
