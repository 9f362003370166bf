"""What the page says when something cannot be done."""

from collections.abc import Callable
from typing import TypeVar

import gradio as gr

from limpid.errors import LimpidError

T = TypeVar("T")


def told(work: Callable[[], T]) -> T:
    """The result of ``work``; what it raises of ours is shown to the visitor in its words."""
    try:
        return work()
    except LimpidError as error:
        raise gr.Error(str(error)) from error
