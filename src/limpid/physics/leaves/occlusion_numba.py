"""Backend ``numba``: every leaf fills its span of each row, jumping over covered pixels.

``free`` holds, row by row, a union-find forest over columns: following it from column j leads to the first uncovered column at or
right of j (W when there is none), so that each pixel is written once and covered stretches cost next to nothing. Compiled
without fast mathematics: LLVM then keeps multiplications and additions apart.
"""

from math import ceil, floor, sqrt

import numpy as np
from numba import njit

from limpid.physics.leaves.geometry import Leaves

_MOST_CROSSINGS = 64  # of one leaf with one row; far above what any shape can make


def fill_rows(labels: np.ndarray, leaves: Leaves, offset: int) -> int:
    """First hit by row spans; contract of ``labels.Fill``."""
    return int(_fill(labels, leaves.x, leaves.y, leaves.reach, leaves.conic, leaves.edges, leaves.first, offset))


@njit(cache=True)
def _fill(
    labels: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    reach: np.ndarray,
    conic: np.ndarray,
    edges: np.ndarray,
    first: np.ndarray,
    offset: int,
) -> int:
    height, width = labels.shape
    free, left = _forest(labels)
    crossings = np.empty(_MOST_CROSSINGS)
    for leaf in range(len(x)):
        if left == 0:
            break
        label = offset + leaf
        top, bottom = max(0, ceil(y[leaf] - reach[leaf])), min(height - 1, floor(y[leaf] + reach[leaf]))
        start, stop = max(0, ceil(x[leaf] - reach[leaf])), min(width - 1, floor(x[leaf] + reach[leaf]))
        if start > stop:
            continue
        shear, weight, limit = conic[leaf, 0], conic[leaf, 1], conic[leaf, 2]
        for row in range(top, bottom + 1):
            if _next(free, row, start) > stop:
                continue
            if limit >= 0:
                left -= _conic_span(labels, free, row, x[leaf], row - y[leaf], shear, weight, limit, label)
            if first[leaf] < first[leaf + 1]:
                count = _crossings(edges, first[leaf], first[leaf + 1], row, crossings)
                for place in range(0, count, 2):
                    left -= _span(labels, free, row, ceil(crossings[place]), ceil(crossings[place + 1]), label)
    return left


@njit(cache=True)
def _forest(labels: np.ndarray) -> tuple[np.ndarray, int]:
    height, width = labels.shape
    free = np.empty((height, width + 1), np.int32)
    left = 0
    for row in range(height):
        free[row, width] = width
        target = width
        for column in range(width - 1, -1, -1):
            if labels[row, column] < 0:
                target = column
                left += 1
            free[row, column] = target
    return free, left


@njit(cache=True)
def _next(free: np.ndarray, row: int, column: int) -> int:
    while free[row, column] != column:
        free[row, column] = free[row, free[row, column]]
        column = free[row, column]
    return column


@njit(cache=True)
def _span(labels: np.ndarray, free: np.ndarray, row: int, start: int, stop: int, label: int) -> int:
    """Write the uncovered columns of ``start`` ≤ column < ``stop``; gives how many there were."""
    stop = min(stop, labels.shape[1])
    written = 0
    if start >= stop:
        return written
    column = _next(free, row, max(start, 0))
    while column < stop:
        labels[row, column] = label
        free[row, column] = column + 1
        written += 1
        column = _next(free, row, column + 1)
    return written


@njit(cache=True)
def _conic_span(
    labels: np.ndarray,
    free: np.ndarray,
    row: int,
    x: float,
    down: float,
    shear: float,
    weight: float,
    limit: float,
    label: int,
) -> int:
    """The span of a conic: its ends by a square root, put right by the exact test, which is monotone along the row."""
    shift, rest = shear * down, weight * (down * down)
    if rest > limit:
        return 0
    half = sqrt(limit - rest)
    start, stop = ceil(x - shift - half) - 1, floor(x - shift + half) + 1
    while start <= stop and ((start - x) + shift) * ((start - x) + shift) + rest > limit:
        start += 1
    while start <= stop and ((stop - x) + shift) * ((stop - x) + shift) + rest > limit:
        stop -= 1
    return _span(labels, free, row, start, stop + 1, label)


@njit(cache=True)
def _crossings(edges: np.ndarray, start: int, stop: int, row: int, crossings: np.ndarray) -> int:
    """Where the edges ``start`` … ``stop`` − 1 cross a row, sorted into ``crossings``; gives how many."""
    count = 0
    for edge in range(start, stop):
        if (edges[edge, 1] <= row) != (edges[edge, 2] <= row):
            place = count
            crossing = edges[edge, 0] + (row - edges[edge, 1]) * edges[edge, 3]
            while place > 0 and crossings[place - 1] > crossing:
                crossings[place] = crossings[place - 1]
                place -= 1
            crossings[place] = crossing
            count += 1
    return count
