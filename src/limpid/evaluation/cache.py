"""Scores that were computed before, one JSON line each, so that a run goes on where another ended."""

import hashlib
import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from limpid.errors import UsageError
from limpid.evaluation.results import Score, without_nan
from limpid.files import parse_json, read_file

_SCORE = TypeAdapter(Score)


class Cache:
    """Scores by key in a file that only grows; a line that was cut short, as a killed run leaves it, counts as not there.

    Raises UsageError when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scores: dict[str, Score] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = read_file(path) if path.exists() else b""
            for line in content.splitlines():
                self._remember(line)
            self._file = path.open("ab")
            if content and not content.endswith(b"\n"):
                self._file.write(b"\n")
        except OSError as fault:
            raise UsageError(f"{path} cannot be used ({fault.strerror or fault}); choose another folder with --report") from fault

    def get(self, key: str) -> Score | None:
        """The score of that key, or None."""
        return self._scores.get(key)

    def put(self, key: str, score: Score) -> None:
        """Keep a score; it is on disk when this returns."""
        row = json.dumps({"key": key, **without_nan(asdict(score))}, ensure_ascii=False)
        self._file.write(row.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._scores[key] = score

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _remember(self, line: bytes) -> None:
        try:
            row: dict[str, Any] = parse_json(line)
            key = str(row.pop("key"))
            row["values"] = {name: math.nan if value is None else value for name, value in row["values"].items()}
            self._scores[key] = _SCORE.validate_python(row)
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # cut short, of another version, or no score at all


def key(*parts: str) -> str:
    """What a score depends on as one short text."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
