"""Backend ``reference``: every leaf against every pixel, in plain NumPy; what the others are checked against."""

import numpy as np

from limpid.physics.leaves.geometry import Leaves


def fill_brute(labels: np.ndarray, leaves: Leaves, offset: int) -> int:
    """First hit by brute force; contract of ``labels.Fill``."""
    rows, columns = (axis.astype(float) for axis in np.ogrid[: labels.shape[0], : labels.shape[1]])
    for index in range(len(leaves)):
        labels[(labels < 0) & covers(leaves, index, rows, columns)] = offset + index
    return int((labels < 0).sum())


def covers(leaves: Leaves, index: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Which of the points (``rows``, ``columns``), arrays that broadcast, one leaf covers."""
    shear, weight, limit = leaves.conic[index]
    down = rows - leaves.y[index]
    slanted = (columns - leaves.x[index]) + shear * down
    inside = slanted * slanted + weight * (down * down) <= limit
    odd = np.zeros_like(inside)
    for x0, y0, y1, slope in leaves.edges[leaves.first[index] : leaves.first[index + 1]]:
        odd ^= ((y0 <= rows) != (y1 <= rows)) & (columns < x0 + (rows - y0) * slope)
    return np.asarray(inside | odd)
