"""What a person is told: results on standard output, lines and a progress bar on standard error.

Whatever comes from files, names and messages alike, goes through ``printable``, so that no file speaks to the terminal; and no
stream that is closed, full or of a poor character set ever stops the work.
"""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from limpid.errors import printable


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.2f} {self.unit}/s" if task.speed else "")


class Bar:
    """What ``bar`` yields: ``advance`` by one, with a note such as the name of the file at hand."""

    def __init__(self, progress: Progress, total: int, done: int = 0) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total, completed=done, note="")

    def note(self, text: str) -> None:
        """Show ``text`` at the end of the bar."""
        self._progress.update(self._task, note=printable(text))

    def advance(self, note: str | None = None) -> None:
        """One item is done."""
        self._progress.advance(self._task)
        if note is not None:
            self.note(note)


@contextmanager
def bar(*, total: int, unit: str, quiet: bool = False, done: int = 0) -> Iterator[Bar]:
    """Show the progress of ``total`` items, of which ``done`` are behind us, while the block runs.

    Count, rate, time left and a note; nothing is printed when ``quiet`` or not in a terminal.
    """
    hidden = quiet or sys.stderr is None or not sys.stderr.isatty()
    console = Console(file=io.StringIO() if hidden else sys.stderr)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console, disable=hidden, transient=True) as progress:
        yield Bar(progress, total, done)


def say(text: str) -> None:
    """Print a line on standard error, above a running bar; where that cannot be written, nobody hears it."""
    if sys.stderr is not None:
        with suppress(OSError):
            Console(file=sys.stderr, soft_wrap=True, highlight=False, markup=False).print(printable(text))


def tell(text: str) -> None:
    """Print a line on standard output; see ``Unheard`` for an output that cannot be written."""
    _write(printable(text) + "\n")


def tell_data(data: Any) -> None:
    """Print plain data on standard output as a line of JSON, in which names are exact and nothing speaks to a terminal."""
    text = json.dumps(data, ensure_ascii=False)
    _write("".join(mark if mark.isprintable() else json.dumps(mark)[1:-1] for mark in text) + "\n")


def tell_raw(content: bytes) -> None:
    """Hand bytes, such as those of a photo, to standard output."""
    _write(content)


class Unheard(io.TextIOBase):
    """Takes the place of a standard output that cannot be written: takes everything, and knows what the first failure was."""

    def __init__(self, fault: OSError) -> None:
        self.fault = fault

    def write(self, text: str) -> int:
        """Lose it."""
        return len(text)


def lost_output() -> OSError | None:
    """Why standard output took less than it was given; None when it took all, or when its reader had enough of it."""
    fault = sys.stdout.fault if isinstance(sys.stdout, Unheard) else None
    return None if isinstance(fault, BrokenPipeError) else fault


def _write(content: str | bytes) -> None:
    if sys.stdout is None or isinstance(sys.stdout, Unheard):
        return
    try:
        if isinstance(content, bytes):
            sys.stdout.buffer.write(content)
        else:
            sys.stdout.write(content)
        sys.stdout.flush()
    except OSError as fault:
        sys.stdout = Unheard(fault)


def open_streams() -> None:
    """Make the three standard streams of a command fit for use: each is open, and writes any character in some form.

    The number of a closed one would go to the next file opened, which then took what a library prints. An output that was closed
    is opened unwritable, so that what should have gone there is missed. Source: POSIX, dup and open take the lowest free number.
    """
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
