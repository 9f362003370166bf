"""Which sizes the items of a source can have, from the headers of its photos."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from limpid.data.augment import Augment, even_proportion
from limpid.data.decode import size

Sizes = set[tuple[int, int]]
"""Heights and widths, pixels."""


@runtime_checkable
class OfManySizes(Protocol):
    """A source whose items may differ in size."""

    def sizes(self) -> Sizes:
        """Sizes that its items can have; where they are drawn from a range, those at its ends."""


def sizes_of(augment: Augment | None, paths: Sequence[Path]) -> Sizes:
    """Sizes of photos after their augmentation in the first epoch; no file is opened where that brings all to one size.

    Raises PhotoError.
    """
    side = None if augment is None else augment.at(0).crop or augment.at(0).stretch
    if isinstance(side, int):
        return {(side, side)}
    found = {size(path) for path in paths}
    if augment is None:
        return found
    resized = {made for one in found for made in _resized(augment, *one)}
    return resized | {(wide, tall) for tall, wide in resized if augment.turn}


def _resized(augment: Augment, height: int, width: int) -> Sizes:
    if augment.square is not None:
        height = width = max(1, int(augment.square * min(height, width)))
    if augment.width is not None:
        return {(max(1, round(height * wide / width)), wide) for wide in augment.width}
    if augment.short_side is not None:
        short = min(height, width)
        return {(even_proportion(height, end, short), even_proportion(width, end, short)) for end in augment.short_side}
    return {(height, width)}
