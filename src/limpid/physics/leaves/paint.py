"""Colouring: what leaves wear, drawn apart from the look-up that puts it on the label map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpid.physics.leaves.geometry import Leaves
from limpid.physics.leaves.palette import draw_colours
from limpid.physics.leaves.settings import FILLS, Chart
from limpid.physics.leaves.textures import Fills, draw_fills, published_fills, share


@dataclass(frozen=True, eq=False, kw_only=True)
class Paint:
    """What n leaves wear. ``colours``: (n + 1, 3) float32, 0…1, the last row where no leaf lies; ``fills``: None = all flat."""

    colours: np.ndarray
    fills: Fills | None


def draw_paint(settings: Chart, leaves: Leaves, generator: np.random.Generator, photos: Sequence[Tensor] = ()) -> Paint:
    """Draw colours and fills for leaves; another generator gives another colouring of the same map.

    ``photos``: (3, H, W), 0…1, for natural colours. Raises SettingError when those have no photo.
    """
    count = len(leaves)
    if settings.law == "published_primitives":
        colours = draw_colours(settings.colours, generator, count, photos)
        fills: Fills | None = published_fills(colours)
    elif set(settings.fills) == {"flat"}:
        colours, fills = draw_colours(settings.colours, generator, count, photos), None
    else:
        both = draw_colours(settings.colours, generator, 2 * count, photos)
        colours, fills = both[:count], draw_fills(settings, leaves, both[count:], generator)
    return Paint(colours=np.concatenate([colours, np.array([settings.background], np.float32)]), fills=fills)


def colour(labels: np.ndarray, leaves: Leaves, paint: Paint, top: int = 0) -> Tensor:
    """Look the paint up: (3, h, w) float32, 0…1, from an (h, w) strip of a label map that starts at canvas row ``top``."""
    places = labels.astype(np.intp)
    picture = np.empty((3, *labels.shape), np.float32)
    for channel in range(3):
        column = np.ascontiguousarray(paint.colours[:, channel])
        column.take(places, out=picture[channel], mode="wrap")  # −1 is the last row
    if paint.fills is not None:
        _blend(picture, places, leaves, paint.colours, paint.fills, top)
    return torch.from_numpy(picture)


def _blend(picture: np.ndarray, places: np.ndarray, leaves: Leaves, colours: np.ndarray, fills: Fills, top: int) -> None:
    """Mix the second colours in, in place, one kind of fill after the other."""
    flat = FILLS.index("flat")
    kinds = np.append(fills.kind, np.int8(flat))[places]
    for kind in np.unique(kinds[kinds != flat]):
        rows, columns = np.nonzero(kinds == kind)
        leaf = places[rows, columns]
        amount = share(FILLS[kind], fills, leaves, leaf, rows + top, columns)
        first, second = colours[leaf].T, fills.others[leaf].T
        picture[:, rows, columns] = first + amount * (second - first)
