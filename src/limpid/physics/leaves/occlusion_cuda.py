"""Backend ``cuda``: one thread per pixel looks for its first hit (numba's CUDA, or its simulator)."""

import operator
from math import ceil

import numpy as np
from numba import cuda
from numba.core import config

from limpid.physics.leaves.geometry import Leaves

_BLOCK = (32, 8)  # threads per block, columns × rows

if config.ENABLE_CUDASIM:  # type: ignore[attr-defined]
    _times = operator.mul
else:
    from numba.cuda import libdevice

    _times = libdevice.dmul_rn  # a product that the compiler must not fuse with an addition


def fill_pixels(labels: np.ndarray, leaves: Leaves, offset: int) -> int:
    """First hit by one thread per pixel; contract of ``labels.Fill``."""
    height, width = labels.shape
    grid = (ceil(width / _BLOCK[0]), ceil(height / _BLOCK[1]))
    moved = [
        cuda.to_device(np.ascontiguousarray(values))
        for values in (leaves.x, leaves.y, leaves.reach, leaves.conic, _some(leaves.edges), leaves.first)
    ]
    there = cuda.to_device(labels)
    _first_hit[grid, _BLOCK](there, *moved, offset)
    there.copy_to_host(labels)
    return int((labels < 0).sum())


def _some(edges: np.ndarray) -> np.ndarray:
    return edges if len(edges) else np.zeros((1, 4))  # CUDA has no empty arrays


@cuda.jit  # type: ignore[untyped-decorator]
def _first_hit(
    labels: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    reach: np.ndarray,
    conic: np.ndarray,
    edges: np.ndarray,
    first: np.ndarray,
    offset: int,
) -> None:
    column, row = cuda.grid(2)  # type: ignore[attr-defined]
    if row >= labels.shape[0] or column >= labels.shape[1] or labels[row, column] >= 0:
        return
    for leaf in range(len(x)):
        right, down = column - x[leaf], row - y[leaf]
        if abs(right) > reach[leaf] or abs(down) > reach[leaf]:
            continue
        slanted = right + _times(conic[leaf, 0], down)
        inside = _times(slanted, slanted) + _times(conic[leaf, 1], _times(down, down)) <= conic[leaf, 2]
        odd = False
        for edge in range(first[leaf], first[leaf + 1]):
            if (edges[edge, 1] <= row) != (edges[edge, 2] <= row):
                crossing = edges[edge, 0] + _times(row - edges[edge, 1], edges[edge, 3])
                if column < crossing:
                    odd = not odd
        if inside or odd:
            labels[row, column] = offset + leaf
            return
