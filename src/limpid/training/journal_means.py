"""Means of named numbers between two rows of a journal, and how long they took."""

import math
import time
from collections.abc import Mapping
from typing import Any


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
