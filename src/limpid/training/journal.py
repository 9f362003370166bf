"""What a run says while it goes on: rows of numbers, curves, one progress bar, one line per epoch, a log."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from limpid.errors import MissingExtraError
from limpid.image.photo import quantise
from limpid.progress import bar, say
from limpid.training.journal_boards import Board, TensorBoard, WeightsAndBiases
from limpid.training.journal_lines import epoch_line, step_line
from limpid.training.journal_means import Clock, Means
from limpid.training.journal_table import Table
from limpid.training.store_file import reporting

Scores = Mapping[str, Mapping[str, float]]
"""Name of a set → metric → value; ``input_psnr`` is the PSNR of the untouched input."""


class Journal:
    """The records of a run in ``folder``: ``metrics`` and ``epochs`` as JSONL and CSV, ``train.log``, TensorBoard, W&B.

    A row is written every ``every`` steps and after step ``total_steps``, and holds the means since the row before. ``step`` is
    where a resumed run goes on, 0 for a new one: rows beyond it are dropped, and with ``state``, what ``state()`` gave there,
    the files become those of an uninterrupted run, but for the columns of ``journal_table.TIMES``. ``quiet``: nothing on
    the console. Without TensorBoard's library the run goes on and says so. Raises MissingExtraError when ``wandb`` is asked for and
    not installed, and DiskError when a record cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        every: int,
        total_steps: int,
        step: int = 0,
        state: Mapping[str, Any] | None = None,
        quiet: bool = False,
        comment: str = "",
        tensorboard: bool = True,
        wandb: bool = False,
    ) -> None:
        self.every, self.total_steps, self.quiet = every, total_steps, quiet
        self._log = folder / "train.log"
        self._rows = Table(folder, "metrics", until=step)
        self._epochs = Table(folder, "epochs", until=step)
        self._row, self._epoch = Means(state and state["row"]), Means(state and state["epoch"])
        self._stack = ExitStack()
        self._end_line()
        if comment:
            self._write(f"comment: {comment}")
        if step:
            self._write(f"goes on after step {step}")
        self._boards: list[Board] = []
        if wandb:
            self._open_wandb(folder, comment, step)
        if tensorboard:
            self._open_tensorboard(folder, comment, step)
        self._bar = self._stack.enter_context(bar(total=total_steps, unit="step", quiet=quiet, done=step))
        self._clock = Clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(
        self,
        step: int,
        epoch: int,
        values: Mapping[str, float],
        rates: Mapping[str, float],
        samples: int,
        waited: float = 0.0,
    ) -> None:
        """Record a finished step, counted from 1: its losses by label, the rate of each player, how many photos it saw.

        ``waited``: seconds of it spent waiting for data. Values that are not finite stay out of the means.
        """
        seconds = self._clock.lap()
        for means in (self._row, self._epoch):
            means.add(values, samples=samples, seconds=seconds, waited=waited)
        named = {"lr" if player == "network" else f"lr_{player}": rate for player, rate in rates.items()}
        self._bar.advance(step_line(self._row.values(), named, self._row.speed, only=("loss",)))
        if step % self.every == 0 or step == self.total_steps:
            self._write_row(step, epoch, named)

    def epoch(self, epoch: int, step: int, scores: Scores) -> None:
        """Record the end of an epoch after ``step``: means of its losses and ``scores`` by set; says one line."""
        flat = {f"{name}/{metric}": _finite(value) for name, values in scores.items() for metric, value in values.items()}
        losses = self._epoch.values()
        row = {"epoch": epoch, "step": step, **{f"train/{name}": value for name, value in losses.items()}, **flat}
        times = self._epoch.times()
        self._epochs.append({**row, **times})
        self._draw({f"epoch/{name}": value for name, value in (losses | flat).items()}, step)
        self.note(epoch_line(epoch, step, scores, losses.get("loss"), times["seconds"]))
        self._epoch = Means()
        self._clock.lap()  # what passed since the last step was spent on scores

    def images(self, step: int, name: str, images: Tensor) -> None:
        """Show (3, H, W) or (B, 3, H, W), 0…1, side by side on the boards."""
        row = torch.cat(list(images), dim=-1) if images.ndim == 4 else images
        pixels = quantise(row.float(), "uint8")
        for board in self._boards:
            board.image(name, pixels, step)
        self._clock.lap()

    def note(self, text: str) -> None:
        """Say ``text`` on the console and in ``train.log``."""
        self._write(text)
        if not self.quiet:
            say(text)

    def state(self) -> dict[str, Any]:
        """Plain values for the state of the run; hand them in again as ``state`` on resume."""
        return {"row": self._row.state(), "epoch": self._epoch.state()}

    def close(self) -> None:
        """End the bar and the boards; files are complete at any time."""
        self._stack.close()
        for board in self._boards:
            board.close()
        self._boards.clear()

    def _write_row(self, step: int, epoch: int, rates: Mapping[str, float]) -> None:
        means, times = self._row.values(), self._row.times()
        self._rows.append({"step": step, "epoch": epoch, "samples": self._row.samples, **means, **rates, **times})
        self._write(f"epoch {epoch}, step {step}/{self.total_steps}: {step_line(means, rates, self._row.speed)}")
        self._draw({f"train/{name}": value for name, value in {**means, **rates, **times}.items()}, step)
        self._row = Means()

    def _draw(self, values: Mapping[str, float | None], step: int) -> None:
        for board in self._boards:
            board.scalars({name: value for name, value in values.items() if value is not None}, step)

    def _open_tensorboard(self, folder: Path, comment: str, step: int) -> None:
        try:
            self._boards.append(TensorBoard(folder, comment=comment, step=step))
        except MissingExtraError as error:
            self.note(f"note: {error}; training goes on without it")

    def _open_wandb(self, folder: Path, comment: str, step: int) -> None:
        board = WeightsAndBiases(folder, comment=comment, step=step)
        self._boards.append(board)
        if board.note:
            self.note(board.note)

    def _write(self, text: str) -> None:
        with reporting(self._log), self._log.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}\n" for line in text.splitlines())

    def _end_line(self) -> None:
        """End a line that a kill left half-written."""
        with reporting(self._log), self._log.open("ab+") as file:
            end = file.tell()
            file.seek(max(0, end - 1))
            if file.read(1) not in (b"", b"\n"):
                file.write(b"\n")


def _finite(value: float) -> float | None:
    return float(value) if torch.isfinite(torch.tensor(value)) else None
