"""A progress bar on standard error: count, rate, time left, a note; silent when standard error is no terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


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
        self._progress.update(self._task, note=text)

    def advance(self, note: str | None = None) -> None:
        """One item is done."""
        self._progress.advance(self._task)
        if note is not None:
            self.note(note)


@contextmanager
def bar(*, total: int, unit: str, quiet: bool = False, done: int = 0) -> Iterator[Bar]:
    """Show the progress of ``total`` items, of which ``done`` are behind us, while the block runs.

    Nothing is printed when ``quiet`` or not in a terminal.
    """
    console = Console(file=sys.stderr)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    hidden = quiet or not sys.stderr.isatty()
    with Progress(*columns, console=console, disable=hidden, transient=True) as progress:
        yield Bar(progress, total, done)


def say(text: str) -> None:
    """Print a line on standard error, above a running bar."""
    Console(file=sys.stderr, soft_wrap=True, highlight=False, markup=False).print(text)
