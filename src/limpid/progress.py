"""What a person is told: results on standard output, lines and a progress bar on standard error.

Whatever comes from files, names and messages alike, goes through ``printable``, so that no file speaks to the terminal; and no
stream that is closed, full or of a poor character set ever stops the work. While a bar is on the screen, everything that goes to
the screen goes through its console, so that lines stand above it; what goes to a file or a pipe never does.
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
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.2f} {task.fields['unit']}/s" if task.speed else "")


class Bar:
    """What ``bar`` yields: ``advance`` by one, with a note such as the name of the file at hand."""

    def __init__(self, progress: Progress, total: int, unit: str, done: int = 0) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total, completed=done, note="", unit=unit)
        self._working: list[str] = []

    def note(self, text: str) -> None:
        """Show ``text`` at the end of the bar."""
        self._progress.update(self._task, note=printable(text))

    def begin(self, name: str) -> None:
        """Name an item that is in work from now on, beside others that are."""
        self._working.append(name)
        self.note(", ".join(self._working))

    def end(self, name: str) -> None:
        """An item that ``begin`` named is done."""
        self._working.remove(name)
        self.advance(", ".join(self._working))

    def advance(self, note: str | None = None) -> None:
        """One item is done."""
        self._progress.advance(self._task)
        if note is not None:
            self.note(note)

    def remove(self) -> None:
        """Take it off the screen."""
        self._progress.remove_task(self._task)


_shown: list[Progress] = []
"""The bars on the screen, of which there is one at most: a bar within a bar is a second line of it."""

_silent: list[Progress] = []
"""Those that are not: no bar within them is shown."""


@contextmanager
def bar(*, total: int, unit: str, quiet: bool = False, done: int = 0) -> Iterator[Bar]:
    """Show the progress of ``total`` items, of which ``done`` are behind us, while the block runs.

    Count, rate, time left and a note; nothing is printed when ``quiet``, within a bar that is, or not in a terminal.
    """
    if quiet or _silent or sys.stderr is None or not sys.stderr.isatty():
        silent = Progress(console=Console(file=io.StringIO()), disable=True)
        _silent.append(silent)
        try:
            yield Bar(silent, total, unit, done)
        finally:
            _silent.remove(silent)
        return
    if _shown:
        inner = Bar(_shown[0], total, unit, done)
        try:
            yield inner
        finally:
            inner.remove()
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    # standard output keeps its own way: rich would lead it to standard error, past the pipe that waits for it
    with Progress(*columns, console=_console(), redirect_stdout=False, transient=True) as progress:
        _shown.append(progress)
        try:
            yield Bar(progress, total, unit, done)
        finally:
            _shown.remove(progress)


def say(text: str) -> None:
    """Print a line on standard error, above a running bar; where that cannot be written, nobody hears it."""
    if sys.stderr is not None:
        with suppress(OSError):
            _print(_shown[0].console if _shown else _console(), text)


def _console() -> Console:
    """Standard error as a screen that prints texts as they are."""
    return Console(file=sys.stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _print(console: Console, text: str) -> None:
    console.print(printable(text), soft_wrap=True)


def tell(text: str) -> None:
    """Print a line on standard output, above a running bar; see ``Unheard`` for an output that cannot be written."""
    _line(printable(text))


def tell_data(data: Any) -> None:
    """Print plain data on standard output as a line of JSON, in which names are exact and nothing speaks to a terminal."""
    text = json.dumps(data, ensure_ascii=False)
    _line("".join(mark if mark.isprintable() else json.dumps(mark)[1:-1] for mark in text))


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


def _line(text: str) -> None:
    """A line on standard output; where that is the screen that shows a bar, the two take turns."""
    if _shown and sys.stdout is not None and sys.stdout.isatty():
        with suppress(OSError):
            _print(_shown[0].console, text)
    else:
        _write(text + "\n")


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
