"""Cutting a large photo into overlapping tiles and blending what comes back, one band of rows at a time.

A tile sees a halo around what it contributes; with a halo of at least the receptive radius of a network its contribution
equals that of the whole photo. Neighbouring contributions overlap by a ramp whose weights add up to one, so nothing is divided.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from limpid.errors import SettingError


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in pixels: it sees ``start``…``stop`` and contributes ``first``…``last``.

    The first ``fade_in`` and the last ``fade_out`` contributed pixels are shared with the neighbours.
    """

    start: int
    stop: int
    first: int
    last: int
    fade_in: int
    fade_out: int

    def weights(self) -> Tensor:
        """Weight of each contributed pixel, (last − first,), rising and falling linearly where pixels are shared."""
        weights = torch.ones(self.last - self.first)
        if self.fade_in:
            weights[: self.fade_in] = ramp(self.fade_in)
        if self.fade_out:
            weights[-self.fade_out :] = 1 - ramp(self.fade_out)
        return weights


def ramp(length: int) -> Tensor:
    """Weights strictly between 0 and 1, rising linearly, (length,)."""
    return (torch.arange(length) + 1) / (length + 1)


def spans(length: int, tile: int, halo: int, fade: int, multiple: int, *, full: bool = False) -> list[Span]:
    """Cover ``length`` pixels with tiles of side ``tile``; all arguments in pixels.

    ``halo``: context on either side of what a tile contributes; ``fade``: pixels shared by neighbours; every start is a
    multiple of ``multiple`` so that strided networks see the same phase. ``full``: the last tile sees as much as the others, so
    that all, once padded to ``multiple``, have one shape. Raises SettingError when a tile of this side has no
    room for both halos and the fade.
    """
    if length <= tile:
        return [Span(0, length, 0, length, 0, 0)]
    halo = -(-halo // multiple) * multiple
    step = (tile - 2 * halo - fade) // multiple * multiple
    if step <= 0:
        least = 2 * halo + fade + multiple
        raise SettingError(f"a tile of {tile} px has no room for its halo; the least is {least} px for this network")
    starts = list(range(0, length - tile + step, step))
    covering = []
    for index, start in enumerate(starts):
        first = start + halo if index else 0
        last = start + tile - halo if index + 1 < len(starts) else length
        seen = min(start, -(-length // multiple) * multiple - tile // multiple * multiple) if full else start
        covering.append((seen, min(start + tile, length), first, last))
    shared = [previous[3] - current[2] for previous, current in zip(covering, covering[1:], strict=False)]
    return [
        Span(*span, fade_in=before, fade_out=after)
        for span, before, after in zip(covering, [0, *shared], [*shared, 0], strict=True)
    ]


Layers = Mapping[str, Tensor]
"""Layer name → (3, h, w)."""


def blend(
    rows: list[Span], columns: list[Span], separate: Callable[[Span, Span], Layers]
) -> Iterator[tuple[int, int, dict[str, Tensor]]]:
    """Run ``separate`` on every tile and yield finished bands of rows: (top, bottom, layer name → (3, bottom − top, W)).

    ``separate`` gets the spans of one tile and returns its layers at the size that the tile sees. Only one band is held.
    """
    width = columns[-1].last
    carried: dict[str, Tensor] = {}
    for row in rows:
        band: dict[str, Tensor] = {}
        for column in columns:
            weights = row.weights()[:, None] * column.weights()[None, :]
            for name, layer in separate(row, column).items():
                inner = layer[
                    :, row.first - row.start : row.last - row.start, column.first - column.start : column.last - column.start
                ]
                target = band.setdefault(name, torch.zeros(3, row.last - row.first, width))
                target[:, :, column.first : column.last] += inner * weights
        for name, tail in carried.items():
            band[name][:, : row.fade_in] += tail
        bottom = row.last - row.fade_out
        carried = {name: layer[:, bottom - row.first :].clone() for name, layer in band.items()} if row.fade_out else {}
        yield row.first, bottom, {name: layer[:, : bottom - row.first] for name, layer in band.items()}
