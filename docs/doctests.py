"""For the site: examples in docstrings become blocks of code, which Markdown would take for quotations."""

import re
from typing import Any

from griffe import Extension, Object

_EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).+)*", re.MULTILINE)


def fenced(text: str) -> str:
    """A docstring with a fence around each example and its output, up to the next empty line."""
    return _EXAMPLE.sub(lambda found: f"\n```pycon\n{found[0]}\n```\n", text)


class Doctests(Extension):
    """Applies ``fenced`` to every docstring that griffe reads."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called by griffe for each object when it is complete."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
