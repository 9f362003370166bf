"""Ctrl-C and SIGTERM while training: the first one finishes the step and saves, the second stops at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from limpid.progress import say

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""Exit code of each."""


class Stop:
    """``asked``: exit code of the signal that came, or None."""

    def __init__(self) -> None:
        self.asked: int | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """First signal: remember it. Second: unwind at once; what is on disk stays whole."""
        if self.asked is not None:
            raise KeyboardInterrupt
        self.asked = CODES[signal.Signals(number)]
        say("limpid: stopping after this step; once more stops at once")


@contextmanager
def listening() -> Iterator[Stop]:
    """Catch both signals while the block runs; outside the main thread nothing is caught."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.handle) for number in CODES}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
