"""Rows of numbers that grow on the disk: ``metrics.jsonl`` and, always saying the same, ``metrics.csv``."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from limpid.training.store_file import replacing, reporting

TIMES = ("seconds", "samples_per_second", "waiting")
"""Columns that differ from run to run; they stand last. All others of a resumed run equal those of an uninterrupted one."""

Row = Mapping[str, float | int | None]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a ``.jsonl`` file; lines that a kill left half-written are passed over. No file: no rows."""
    rows = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
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
        with replacing(self._lines) as partial:
            partial.write_text("".join(_line(row) for row in rows), encoding="utf-8", newline="\n")
        self._write_sheet(rows)

    def append(self, row: Row) -> None:
        """Add a row to both files; its numbers are finite or None."""
        with reporting(self._lines), self._lines.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_line(row))
        if not row.keys() <= set(self.columns):
            self._write_sheet(read_rows(self._lines))
            return
        with reporting(self._sheet), self._sheet.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)

    def _write_sheet(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        names = dict.fromkeys(name for row in rows for name in row)
        self.columns = [*(name for name in names if name not in TIMES), *(name for name in TIMES if name in names)]
        with replacing(self._sheet) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            if rows:
                writer.writeheader()
            writer.writerows(rows)


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False) + "\n"
