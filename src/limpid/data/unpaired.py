"""A folder of photos: a sequence of arrays, decoded when asked for."""

from pathlib import Path

import numpy as np

from limpid.data.decode import pixels
from limpid.data.health import Health
from limpid.data.listed import Listed
from limpid.data.pairing import by_stem, listing
from limpid.errors import DataError


class PhotoFolder(Listed[np.ndarray]):
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

    def _item(self, place: int) -> np.ndarray:
        return self.health.load(place, self._read)

    def _read(self, place: int) -> np.ndarray:
        if self._kept is None:
            return pixels(self.paths[place])
        if place not in self._kept:
            self._kept[place] = pixels(self.paths[place])
        return self._kept[place]
