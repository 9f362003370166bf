"""A folder of photos: a sequence of arrays, decoded when asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np

from limpid.data.decode import pixels
from limpid.data.health import Health
from limpid.data.pairing import by_stem, listing
from limpid.errors import DataError


class PhotoFolder(Sequence[np.ndarray]):
    """Photos of ``folder`` (subfolders are not searched), sorted by name, as (H, W, 3) uint8 RGB arrays.

    ``keep`` holds what was decoded in memory, once per process. A corrupt photo is replaced by the next one, see ``health``.
    Raises DataError for a folder without photos or with two of one stem.
    """

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        found, double = by_stem(folder)
        if double:
            raise DataError(f"{folder} holds double stems; {listing(double)}. Rename or remove them.")
        if not found:
            raise DataError(f"{folder} holds no photo (.jpg, .png, …); subfolders are not searched")
        self.paths = list(found.values())
        self.stems = list(found)
        self.health = Health(len(self.paths), folder)
        self._kept: dict[int, np.ndarray] | None = {} if keep else None

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self.health.load(index % len(self), self._read)

    def _read(self, place: int) -> np.ndarray:
        if self._kept is None:
            return pixels(self.paths[place])
        if place not in self._kept:
            self._kept[place] = pixels(self.paths[place])
        return self._kept[place]
