"""What a run says while it goes on: rows of numbers, curves, one progress bar, one line per epoch, a log."""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from limpid.errors import MissingExtraError
from limpid.files import reporting
from limpid.layers.pixels import quantise
from limpid.progress import bar, say
from limpid.training.kept_weights import RESUME
from limpid.training.trackers import Table, TensorBoard, Tracker, WeightsAndBiases


class Means:
    """Running means since the last ``take``; numbers that are not finite are left out.

    ``state`` holds plain values, so that a resumed run goes on in the middle of a row; of time only its own part is known.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        self.samples = 0
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._seconds = self._waited = 0.0
        self._timed = 0  # samples within the seconds
        if state is not None:
            self.samples, self._sums, self._counts = state["samples"], dict(state["sums"]), dict(state["counts"])

    def add(self, values: Mapping[str, float], *, samples: int, seconds: float, waited: float) -> None:
        """Count one step: its values, how many photos it saw, how long it took, how much of that it waited for data."""
        for name, value in values.items():
            finite = math.isfinite(value)
            self._sums[name] = self._sums.get(name, 0.0) + (value if finite else 0.0)
            self._counts[name] = self._counts.get(name, 0) + finite
        self.samples += samples
        self._timed += samples
        self._seconds += seconds
        self._waited += waited

    def values(self) -> dict[str, float | None]:
        """Name → mean, None where no number was finite."""
        return {name: total / self._counts[name] if self._counts[name] else None for name, total in self._sums.items()}

    @property
    def speed(self) -> float:
        """Photos per second."""
        return self._timed / max(self._seconds, 1e-9)

    def times(self) -> dict[str, float]:
        """What differs from run to run: seconds, photos per second, share of the time waited for data."""
        waiting = self._waited / max(self._seconds, 1e-9)
        return {"seconds": round(self._seconds, 3), "samples_per_second": round(self.speed, 3), "waiting": round(waiting, 4)}

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to go on."""
        return {"samples": self.samples, "sums": dict(self._sums), "counts": dict(self._counts)}


class Clock:
    """Seconds between two steps; scoring and drawing in between are left out by a lap of their own."""

    def __init__(self) -> None:
        self._mark = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last lap or restart."""
        now = time.monotonic()
        passed, self._mark = now - self._mark, now
        return passed


Scores = Mapping[str, Mapping[str, float]]
"""Name of a set → metric → value; ``input_psnr`` is the PSNR of the untouched input."""


class Logger:
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
        self._boards: list[Tracker] = []
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
        """Record a finished step, counted from 1: its losses by label, the rate of each module, how many photos it saw.

        ``waited``: seconds of it spent waiting for data. Values that are not finite stay out of the means.
        """
        seconds = self._clock.lap()
        for means in (self._row, self._epoch):
            means.add(values, samples=samples, seconds=seconds, waited=waited)
        named = {"lr" if module == "network" else f"lr_{module}": rate for module, rate in rates.items()}
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
        with reporting(self._log, RESUME), self._log.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}\n" for line in text.splitlines())

    def _end_line(self) -> None:
        """End a line that a kill left half-written."""
        with reporting(self._log, RESUME), self._log.open("ab+") as file:
            end = file.tell()
            file.seek(max(0, end - 1))
            if file.read(1) not in (b"", b"\n"):
                file.write(b"\n")


def _finite(value: float) -> float | None:
    return float(value) if torch.isfinite(torch.tensor(value)) else None


_UNITS = {"psnr": " dB"}
_DIGITS = {"psnr": 2}


def step_line(
    means: Mapping[str, float | None], rates: Mapping[str, float], speed: float, *, only: Sequence[str] | None = None
) -> str:
    """``loss 0.0123, percep 0.2310, lr 2.0e-04, 8.1 samples/s``; ``only`` these means where given."""
    shown = [(name, value) for name, value in means.items() if only is None or name in only]
    parts = [f"{name} {value:.4f}" if value is not None else f"{name} not finite" for name, value in shown]
    return ", ".join([*parts, *(f"{name} {rate:.1e}" for name, rate in rates.items()), f"{speed:.1f} samples/s"])


def epoch_line(epoch: int, step: int, scores: Mapping[str, Mapping[str, float]], loss: float | None, seconds: float) -> str:
    """``epoch 3, step 1200: validation PSNR 24.31 dB (input 20.11), SSIM 0.8931 (input 0.8112); loss 0.0123; 312 s``."""
    parts = [f"{name} {_metrics(values)}" for name, values in scores.items() if values]
    parts += [f"loss {loss:.4f}"] if loss is not None else []
    return f"epoch {epoch}, step {step}: {'; '.join([*parts, f'{seconds:.0f} s'])}"


def _metrics(values: Mapping[str, float]) -> str:
    said = []
    for metric, value in values.items():
        if metric.startswith("input_"):
            continue
        digits = _DIGITS.get(metric, 4)
        untouched = values.get(f"input_{metric}")
        beside = "" if untouched is None else f" (input {untouched:.{digits}f})"
        said.append(f"{metric.upper()} {value:.{digits}f}{_UNITS.get(metric, '')}{beside}")
    return ", ".join(said)
