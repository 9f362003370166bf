"""Photos to synthesise from, known by name and hash: those of a folder, or the few that scikit-image brings along."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limpid.data.concat import Listed
from limpid.data.decode import pixels, size
from limpid.data.pairing import listing
from limpid.data.photo_folders import PhotoFolder
from limpid.errors import DataError
from limpid.files import sha256

BUNDLED = ("astronaut", "chelsea", "coffee", "rocket")
"""Photographs inside scikit-image, in the public domain or CC0: enough to try things out, far too few to train on."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where photos came from: a ``folder`` (None: scikit-image's own), and the SHA-256 of each by its name."""

    folder: str | None
    photos: Mapping[str, str]


class Photographs(Listed[Tensor]):
    """Photos as (3, H, W) tensors, float32, 0…1, sorted by name, decoded when asked for; ``folder`` None: the bundled ones.

    Raises DataError for a folder without photos, PhotoError (with the name) for one that cannot be decoded.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        paths = [] if folder is None else PhotoFolder(_existing(folder)).paths
        self._paths = {path.name: path for path in paths}
        self.names = list(self._paths) if folder is not None else list(BUNDLED)

    def __len__(self) -> int:
        return len(self.names)

    def _item(self, place: int) -> Tensor:
        return torch.from_numpy(self.load(self.names[place])).permute(2, 0, 1).float().div_(255)

    def load(self, name: str) -> np.ndarray:
        """One photo as an (H, W, 3) uint8 array; raises DataError when there is none of that name."""
        if name not in (self._paths if self.folder is not None else BUNDLED):
            raise DataError(f"{self.folder or 'scikit-image'} holds no photo named {name!r}, which the manifest asks for")
        return pixels(self._paths[name]) if self.folder is not None else _bundled(name)

    def size(self, name: str) -> tuple[int, int]:
        """Height and width of one photo, of a file from its header alone."""
        if self.folder is not None:
            return size(self._paths[name])
        height, width = _bundled(name).shape[:2]
        return height, width

    def source(self) -> Source:
        """What a manifest remembers of them; reads every file once."""
        hashes = {name: sha256(path) for name, path in self._paths.items()}
        if self.folder is None:
            hashes = {name: hashlib.sha256(_bundled(name).tobytes()).hexdigest() for name in self.names}
        return Source(folder=None if self.folder is None else str(self.folder.resolve()), photos=hashes)

    def check(self, wanted: Source) -> None:
        """Raise DataError that lists the photos which are not, byte for byte, those of ``wanted``."""
        found = self.source().photos
        names = sorted({*found, *wanted.photos})
        wrong = [name for name in names if found.get(name) != wanted.photos.get(name)]
        if wrong:
            raise DataError(f"{self.folder or 'scikit-image'} does not hold the photos of the manifest; differing {listing(wrong)}")


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; --source names a folder of photos")
    return folder


@lru_cache(maxsize=len(BUNDLED))
def _bundled(name: str) -> np.ndarray:
    from skimage import data

    return np.asarray(getattr(data, name)())
