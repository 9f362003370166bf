"""Silence for the decoders while we read: what matters of their chatter becomes a note or an error of ours."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import cv2

_lock = threading.Lock()
_open = ExitStack()
_inside = 0


@contextmanager
def quiet() -> Iterator[None]:
    """No warning of Pillow, log line of tifffile or message of OpenCV reaches standard error while the block runs.

    The settings involved belong to the process: the first thread in sets them, the last one out restores them.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _silence(_open)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _open.close()


def _silence(stack: ExitStack) -> None:
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    stack.callback(cv2.utils.logging.setLogLevel, cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT))
    for name in ("tifffile", "PIL"):
        logger = logging.getLogger(name)
        stack.callback(setattr, logger, "propagate", logger.propagate)
        stack.callback(logger.removeHandler, silent := logging.NullHandler())
        logger.addHandler(silent)
        logger.propagate = False
