"""A list whose items are made when they are asked for: by place from either end, or by slice."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

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
