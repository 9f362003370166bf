"""Where curves and pictures of a run can be watched: TensorBoard, and Weights & Biases for those who ask for it."""

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from limpid.errors import MissingExtraError
from limpid.files import parse_json, replacing, reporting
from limpid.layers.pixels import Pixels
from limpid.training.kept_weights import RESUME

_PATIENCE = 30  # seconds that W&B may take to answer


class Tracker(Protocol):
    """Takes numbers and pictures of a run by step."""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add points to curves."""

    def image(self, name: str, pixels: Pixels, step: int) -> None:
        """Add a picture, (H, W, 3) uint8."""

    def close(self) -> None:
        """Write out what is held back."""


class TensorBoard:
    """Event files in ``folder/tensorboard``; what was written beyond ``step``, where the run goes on, is hidden.

    Raises MissingExtraError without the library.
    """

    def __init__(self, folder: Path, *, comment: str, step: int) -> None:
        module = _library("torch.utils.tensorboard", "tensorboard", extra="train", purpose="drawing TensorBoard's curves")
        self._writer: Any = module.SummaryWriter(log_dir=str(folder / "tensorboard"), purge_step=step + 1)
        if comment:
            self._writer.add_text("comment", comment, step)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add points to curves, at once on the disk."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def image(self, name: str, pixels: Pixels, step: int) -> None:
        """Add a picture, (H, W, 3) uint8."""
        self._writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write out what is held back."""
        self._writer.close()


class WeightsAndBiases:
    """A run in W&B's project ``limpid``: kept in ``folder/wandb`` unless WANDB_MODE or WANDB_API_KEY say that it may go online.

    ``wandb sync`` uploads it later; ``note`` says so when W&B could not be reached. A resumed run keeps its identity. Raises
    MissingExtraError without the library.
    """

    def __init__(self, folder: Path, *, comment: str, step: int) -> None:
        self._library = _library("wandb", "wandb", extra="track", purpose="logging to Weights & Biases")
        self.note: str | None = None
        mode = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
        try:
            self._run = self._start(folder, comment, mode)
        except self._library.Error as error:
            if mode != "online":
                raise
            self.note = (
                f"note: W&B cannot be reached ({' '.join(str(error).split())[:200]}); kept in {folder / 'wandb'} for `wandb sync`"
            )
            self._library.teardown()  # else the identity counts as in use
            self._run = self._start(folder, comment, "offline")
        self._run.summary["resumed_at"] = step

    def _start(self, folder: Path, comment: str, mode: str) -> Any:
        identity = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        settings = {"init_timeout": _PATIENCE, "quiet": True}
        named = {"project": "limpid", "name": folder.name, "notes": comment, "id": identity}
        return self._library.init(**named, dir=str(folder), mode=mode, resume="allow", settings=settings)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add points to curves."""
        self._run.log(dict(values), step=step)

    def image(self, name: str, pixels: Pixels, step: int) -> None:
        """Add a picture, (H, W, 3) uint8."""
        self._run.log({name: self._library.Image(pixels)}, step=step)

    def close(self) -> None:
        """Write out what is held back."""
        self._run.finish()


def _library(module: str, library: str, *, extra: str, purpose: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(library, extra, purpose) from error


TIMES = ("seconds", "samples_per_second", "waiting")
"""Columns that differ from run to run; they stand last. All others of a resumed run equal those of an uninterrupted one."""

Row = Mapping[str, float | int | None]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a ``.jsonl`` file; lines that a kill left half-written are passed over. No file: no rows."""
    rows = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            row = parse_json(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


class Table:
    """The files ``STEM.jsonl`` and ``STEM.csv`` of a run, a flushed line for each row, each with a ``step``.

    Opening drops the rows beyond ``until``, where a resumed run goes on, and what is half-written. The columns of the CSV file
    are those of the rows, in order of appearance; a new one makes the file be written again. Raises DiskError.
    """

    def __init__(self, folder: Path, stem: str, *, until: int) -> None:
        self._lines, self._sheet = folder / f"{stem}.jsonl", folder / f"{stem}.csv"
        rows = [row for row in read_rows(self._lines) if row["step"] <= until]
        with replacing(self._lines, RESUME) as partial:
            partial.write_text("".join(_line(row) for row in rows), encoding="utf-8", newline="\n")
        self._write_sheet(rows)

    def append(self, row: Row) -> None:
        """Add a row to both files; its numbers are finite or None."""
        with reporting(self._lines, RESUME), self._lines.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_line(row))
        if not row.keys() <= set(self.columns):
            self._write_sheet(read_rows(self._lines))
            return
        with reporting(self._sheet, RESUME), self._sheet.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)

    def _write_sheet(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        names = dict.fromkeys(name for row in rows for name in row)
        self.columns = [*(name for name in names if name not in TIMES), *(name for name in TIMES if name in names)]
        with replacing(self._sheet, RESUME) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            if rows:
                writer.writeheader()
            writer.writerows(rows)


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False) + "\n"
