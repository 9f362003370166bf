"""From leaves to a label map: for every pixel, the front leaf that covers it. All backends give the same map."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

import numpy as np

from limpid.errors import DeviceError, MissingExtraError, UnknownNameError
from limpid.physics.leaves.geometry import Leaves, join
from limpid.physics.leaves.sampling import Size, batch, draw, draw_published
from limpid.physics.leaves.settings import Chart

Backend = Literal["auto", "numba", "torch", "cuda", "reference"]
Fill = Callable[[np.ndarray, Leaves, int], int]
"""Writes ``offset`` + index of the front leaf into the pixels of an (H, W) int32 map that are still −1; gives how many are left."""

UNCOVERED = -1
_GROWTH = 1.5  # of one batch over the one before


def label_map(leaves: Leaves, size: Size, backend: Backend = "auto") -> np.ndarray:
    """(H, W) int32: index of the front leaf over each pixel, −1 where none lies.

    ``backend``: ``numba`` (row spans, one CPU thread), ``torch`` (tiles, on the GPU when there is one), ``cuda`` (numba, one
    thread per pixel), ``reference`` (plain NumPy, slow), ``auto`` (numba, else torch). Raises MissingExtraError, DeviceError
    and UnknownNameError.
    """
    labels = np.full(size, UNCOVERED, dtype=np.int32)
    filler(backend)(labels, leaves, 0)
    return labels


def cover(settings: Chart, generator: np.random.Generator, size: Size, backend: Backend = "auto") -> tuple[Leaves, np.ndarray]:
    """Let leaves fall until the canvas is covered; gives them, up to the last visible one, and their label map.

    ``size``: (height, width) in canvas pixels. Under the published laws the number of leaves is fixed and pixels may stay −1.
    """
    fill = filler(backend)
    labels = np.full(size, UNCOVERED, dtype=np.int32)
    if settings.law != "stationary":
        leaves = draw_published(settings, generator, size)
        fill(labels, leaves, 0)
        return leaves, labels
    parts: list[Leaves] = []
    fallen, count, left = 0, batch(settings, size), labels.size
    while left:
        parts.append(draw(settings, generator, size, count))
        left = fill(labels, parts[-1], fallen)
        fallen += count
        count = int(count * _GROWTH) + 1
    return join(parts).head(int(labels.max()) + 1), labels


def filler(backend: Backend) -> Fill:
    """The function behind a backend; heavy libraries load here. Raises as ``label_map`` does."""
    name = backend
    if name == "auto":
        name = "numba" if find_spec("numba") else "torch"
    if name == "numba":
        return _rows()
    if name == "torch":
        from limpid.physics.leaves.occlusion_torch import fill_tiles

        return fill_tiles
    if name == "cuda":
        return _pixels()
    if name == "reference":
        from limpid.physics.leaves.occlusion_reference import fill_brute

        return fill_brute
    raise UnknownNameError("backend", name, ("auto", "numba", "torch", "cuda", "reference"))


def _rows() -> Fill:
    try:
        from limpid.physics.leaves.occlusion_numba import fill_rows
    except ModuleNotFoundError as error:
        raise MissingExtraError("numba", "fast", "the row backend of dead leaves") from error
    return fill_rows


def _pixels() -> Fill:
    try:
        from numba import cuda

        from limpid.physics.leaves.occlusion_cuda import fill_pixels
    except ModuleNotFoundError as error:
        raise MissingExtraError("numba", "fast", "the CUDA backend of dead leaves") from error
    if not cuda.is_available():
        raise DeviceError("numba finds no CUDA device; use backend 'auto' (or set NUMBA_ENABLE_CUDASIM=1 to simulate one)")
    return fill_pixels
