"""Work that stops between two layers of a network when nobody waits for it any longer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import nn

_STOP: ContextVar[threading.Event | None] = ContextVar("limpid_web_stop", default=None)


class StoppedError(Exception):
    """The work was given up."""


@contextmanager
def stoppable(stop: threading.Event) -> Iterator[None]:
    """What runs inside, on this thread, raises StoppedError at its next ``check`` once ``stop`` is set."""
    token = _STOP.set(stop)
    try:
        yield
    finally:
        _STOP.reset(token)


def check() -> None:
    """Raise StoppedError if the work of this thread was given up."""
    stop = _STOP.get()
    if stop is not None and stop.is_set():
        raise StoppedError


def watch(network: nn.Module) -> None:
    """Let every part of a network check before it runs, so that a long forward ends soon after it was given up."""
    for module in network.modules():
        module.register_forward_pre_hook(_before)


def _before(module: nn.Module, inputs: Any) -> None:
    check()
