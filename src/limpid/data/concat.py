"""Several folders as one: photos in a row, sources in a row, photos as tensors, and the files behind them."""

from abc import abstractmethod
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Protocol, TypeVar, overload, runtime_checkable

import numpy as np
from torch import Tensor

from limpid.data.augment import as_tensor
from limpid.data.pairing import listing, stem_of
from limpid.data.sizes import OfManySizes, Sizes
from limpid.data.stream import Source
from limpid.errors import DataError
from limpid.layers.pair import Pair

Item = TypeVar("Item", covariant=True)


class Listed(Sequence[Item]):
    """Sequence over ``_item``, which makes the one of a place from 0 on, and ``__len__``."""

    @abstractmethod
    def _item(self, place: int) -> Item:
        """Item number ``place``, 0 … length − 1."""

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self._item(place) for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._item(index % len(self))


@runtime_checkable
class OnDisk(Protocol):
    """A sequence of photos that knows its files."""

    paths: list[Path]


def paths_of(photos: Sequence[object]) -> list[Path]:
    """The files behind a sequence of photos; none when they came from elsewhere."""
    return list(photos.paths) if isinstance(photos, OnDisk) else []


def check_same_names(first: Sequence[object], second: Sequence[object]) -> None:
    """Raise DataError, with the photos that have no partner, unless two sequences go together by stem, as Zhang's sources do."""
    one, other = ([stem_of(Path(path.name)) for path in paths_of(photos)] for photos in (first, second))
    if one != other:
        folders = sorted({str(path.parent) for path in paths_of(first) + paths_of(second)})
        alone = sorted({*one} ^ {*other})
        raise DataError(f"{' and '.join(folders)} do not hold the same names in one order; without a partner are {listing(alone)}")


class Photos(Listed[np.ndarray]):
    """Sequences of (H, W, 3) uint8 photos, one after the other."""

    def __init__(self, parts: Sequence[Sequence[np.ndarray]]) -> None:
        self.parts = parts
        self.paths = [path for part in parts for path in paths_of(part)]
        self._ends = list(accumulate(len(part) for part in parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _item(self, place: int) -> np.ndarray:
        part, inner = where(self._ends, place)
        return self.parts[part][inner]


class Tensors(Listed[Tensor]):
    """Photos as (3, H, W) tensors, float32, 0…1."""

    def __init__(self, photos: Sequence[np.ndarray]) -> None:
        self.photos = photos
        self.paths = paths_of(photos)

    def __len__(self) -> int:
        return len(self.photos)

    def _item(self, place: int) -> Tensor:
        return as_tensor(self.photos[place])


class Sources:
    """A ``Source`` that holds the pairs of several, one after the other."""

    def __init__(self, parts: Sequence[Source]) -> None:
        self.parts = parts
        self._ends = list(accumulate(len(part) for part in parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Pair number ``place``, of the source that holds it."""
        part, within = where(self._ends, place)
        return self.parts[part].pair(within, epoch, draw)

    def sizes(self) -> Sizes:
        """Sizes of the pairs of all of them."""
        return {size for part in self.parts if isinstance(part, OfManySizes) for size in part.sizes()}

    def files(self) -> list[Path]:
        """The files of all of them."""
        return [path for part in self.parts for path in part.files()]


def where(ends: Sequence[int], place: int) -> tuple[int, int]:
    """Which part holds ``place``, and where in it, for parts that end before ``ends``."""
    part = bisect(ends, place)
    return part, place - (ends[part - 1] if part else 0)
