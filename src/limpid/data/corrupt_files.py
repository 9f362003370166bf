"""Corrupt files met while training: skipped, replaced by the next, logged once, counted over all worker processes."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from limpid.errors import DataError, PhotoError

MOST = 100
"""So many corrupt files of one folder are borne, …"""

SHARE = 0.01
"""… and such a share of it; one more stops the training."""

Item = TypeVar("Item")
_log = logging.getLogger(__name__)


class CorruptFiles:
    """Which of ``count`` items of ``folder`` turned out corrupt; the record is shared with forked and spawned workers.

    The replacement of an item depends on the files alone, so every number of workers sees the same items.
    """

    def __init__(self, count: int, folder: Path) -> None:
        self.folder = folder
        self._bad: Tensor = torch.zeros(count, dtype=torch.bool).share_memory_()

    @property
    def bad(self) -> int:
        """Number of corrupt items met so far, in any process."""
        return int(self._bad.sum())

    def load(self, index: int, read: Callable[[int], Item]) -> Item:
        """``read(index)``, or of the next item in order that can be read.

        Raises DataError when more than 1 % or 100 of the items are corrupt.
        """
        for step in range(len(self._bad)):
            place = (index + step) % len(self._bad)
            if self._bad[place]:
                continue
            try:
                return read(place)
            except PhotoError as error:
                self._note(place, error)
        raise DataError(f"{self.folder} holds no photo that can be decoded")

    def _note(self, place: int, error: PhotoError) -> None:
        _log.warning("%s; another one takes its place", error)
        self._bad[place] = True
        if self.bad > min(MOST, SHARE * len(self._bad)):
            raise DataError(
                f"{self.bad} of {len(self._bad)} items of {self.folder} are corrupt, more than 1 % or {MOST}; last: {error}."
                f" List them with `limpid prepare --check {self.folder}`."
            ) from error
