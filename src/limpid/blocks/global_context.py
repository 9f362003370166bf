"""What a network knows of a whole photo while it looks at one tile of it.

Some parts of a network see everything: means that steer channels, a transformer, norms over the map. Run on the whole photo
once, inside ``recording``, they leave what they found in a ``Whole``; inside ``replaying`` they answer with it in place of what
the tile alone would tell, and parts that ask where the pixel grid begins learn it from ``placed``. What is left depends on the
surroundings of a pixel only, so a tile with a halo of the network's ``local_radius`` gives what the whole photo gives.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.resize import Cut


@dataclass(frozen=True)
class Whole:
    """What the global parts found on one photo, in the order of their calls.

    ``seen``: height and width, pixels, of the photo they were shown; it may be a reduced copy of the one that is cut into tiles.
    """

    seen: tuple[int, int]
    found: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """Where a tile lies: its first row and column on a photo of ``height`` × ``width`` pixels, padding included."""

    top: int
    left: int
    height: int
    width: int

    def cuts(self, size: tuple[int, int], stride: int) -> tuple[Cut, Cut]:
        """Rows and columns of this tile, ``size`` pixels, on maps of which it holds a part; ``stride``: pixels per cell."""
        return (
            Cut(first=self.top, count=size[0], length=self.height, cells=self.height // stride, held=self.top // stride),
            Cut(first=self.left, count=size[1], length=self.width, cells=self.width // stride, held=self.left // stride),
        )

    def cuts_of(self, cells: tuple[int, int], size: tuple[int, int], covered: tuple[int, int]) -> tuple[Cut, Cut]:
        """The same on maps of the whole photo, of so many ``cells``, which cover ``covered`` pixels of its grid."""
        return (
            Cut(first=self.top, count=size[0], length=covered[0], cells=cells[0]),
            Cut(first=self.left, count=size[1], length=covered[1], cells=cells[1]),
        )


@dataclass(frozen=True)
class _Replay:
    whole: Whole
    tile: Tile
    rest: Iterator[Tensor]


_recorded: ContextVar[Whole | None] = ContextVar("_recorded", default=None)
_replayed: ContextVar[_Replay | None] = ContextVar("_replayed", default=None)


@contextmanager
def recording(seen: tuple[int, int]) -> Iterator[Whole]:
    """One forward inside, on a photo of ``seen`` (height, width), fills the ``Whole`` that this gives; of this thread alone."""
    whole = Whole(seen)
    token = _recorded.set(whole)
    try:
        yield whole
    finally:
        _recorded.reset(token)


@contextmanager
def replaying(whole: Whole, tile: Tile) -> Iterator[None]:
    """One forward inside, on ``tile``, uses what was found; of this thread alone."""
    token = _replayed.set(_Replay(whole, tile, iter(whole.found)))
    try:
        yield
    finally:
        _replayed.reset(token)


def placed() -> tuple[Whole, Tile] | None:
    """What is being replayed, and where; None when the network sees a whole photo."""
    replay = _replayed.get()
    return None if replay is None else (replay.whole, replay.tile)


def remembered(compute: Callable[[], Iterable[Tensor]], count: int) -> Iterator[Tensor]:
    """The ``count`` tensors that ``compute`` makes one after another, or in their place what was recorded."""
    replay, whole = _replayed.get(), _recorded.get()
    if replay is not None:
        for _ in range(count):
            yield next(replay.rest)
        return
    for tensor in compute():
        if whole is not None:
            whole.found.append(tensor)
        yield tensor


class WholeMean(nn.Module):
    """Mean of each channel over the whole photo: (B, C, H, W) → (B, C, 1, 1)."""

    def forward(self, features: Tensor) -> Tensor:
        """Average, or recall the average."""
        (mean,) = remembered(lambda: [features.mean((2, 3), keepdim=True)], 1)
        return mean


class WholeNorm(nn.Module):
    """Each channel less its mean over the whole photo, divided by its biased deviation there: (B, C, H, W) → the same."""

    def __init__(self, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, features: Tensor) -> Tensor:
        """Normalise, or do so by what is recalled."""
        if _recorded.get() is None and _replayed.get() is None:
            return F.instance_norm(features, eps=self.epsilon)
        variance, mean = remembered(lambda: torch.var_mean(features, (2, 3), correction=0, keepdim=True), 2)
        return (features - mean) * torch.rsqrt(variance + self.epsilon)
