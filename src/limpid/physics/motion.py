"""Camera shake: trajectories from a seeded random walk, the kernels they expose, kernel files, and true convolution."""

from math import ceil

import numpy as np
import torch
from torch import Tensor

from limpid.errors import SettingError, ShapeError

CLASSES = {"small": (2.0, 7.0), "mild": (7.0, 15.0), "big": (15.0, 31.0)}
"""Class of camera shake → range of its extent, pixels. The kernels of published sets are 13 to 33 pixels wide."""

_STEPS = 1000  # moments of one exposure
_CALM = (100.0, 1000.0)  # moments for which a hand keeps its velocity: from shaky to steady
_PULL = 1e-5  # how strongly it is drawn back to where it began: a period of two exposures
_TWITCH = 0.001  # probability a moment that it twitches, which turns the velocity about


def trajectory(generator: np.random.Generator) -> np.ndarray:
    """Where a hand-held camera points during one exposure: (1000, 2), right and down, mean 0, longer side of its box 1.

    A random walk of the velocity with inertia, a weak pull back and rare twitches, at equal steps of time: where the hand
    rests, more light falls.
    """
    memory = np.exp(-1 / np.exp(generator.uniform(*np.log(_CALM))))
    pushes = generator.standard_normal((_STEPS, 2))
    twitches = generator.random(_STEPS) < _TWITCH
    turns = generator.normal(np.pi, 0.5, _STEPS)
    path = np.zeros((_STEPS, 2))
    place, velocity = np.zeros(2), generator.standard_normal(2) / (1 - memory**2) ** 0.5
    for moment in range(_STEPS):
        velocity = memory * velocity + pushes[moment] - _PULL * place
        if twitches[moment]:
            velocity = _turned(velocity, turns[moment])
        place = place + velocity
        path[moment] = place
    path -= path.mean(axis=0)
    unit: np.ndarray = path / np.ptp(path, axis=0).max()
    return unit


def shake_kernel(generator: np.random.Generator, extent: float, size: int | None = None) -> np.ndarray:
    """Point spread of one exposure with a ``trajectory`` whose box has a longer side of ``extent`` pixels.

    Each moment is shared between the four nearest pixels, so the centroid is the middle to rounding. Returns (size, size),
    float64, sum 1; ``size`` is odd and by default the smallest that holds the path. Extent 0 is the identity.
    Raises SettingError for a negative extent and for a size that is even or too small.
    """
    if extent < 0:
        raise SettingError(f"the extent of a shake is at least 0 px; got {extent}")
    path = extent * trajectory(generator)
    radius = ceil(np.abs(path).max() - 1e-12)
    if size is None:
        size = 2 * radius + 1
    if size % 2 == 0 or size // 2 < radius:
        raise SettingError(f"this shake needs an odd kernel of at least {2 * radius + 1} px; got {size}")
    return splat(path + size // 2, size)


def splat(points: np.ndarray, size: int) -> np.ndarray:
    """Histogram of (N, 2) ``points``, right and down from the first pixel's middle, shared bilinearly; (size, size), sum 1.

    Points lie within 0…size − 1.
    """
    corner = np.floor(points).astype(int).clip(0, max(size - 2, 0))
    part = points - corner
    kernel = np.zeros((size + 1, size + 1))
    for right, down in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
        np.add.at(kernel, (corner[:, 1] + down, corner[:, 0] + right), weight)
    kernel = kernel[:size, :size]
    kernel /= kernel.sum()
    return kernel


def centroid(kernel: np.ndarray) -> tuple[float, float]:
    """Centre of mass of an (h, w) kernel as (row, column), pixels from the first one."""
    rows, columns = kernel.sum(axis=1), kernel.sum(axis=0)
    return float(rows @ np.arange(len(rows)) / rows.sum()), float(columns @ np.arange(len(columns)) / columns.sum())


def centre(kernel: np.ndarray) -> np.ndarray:
    """The kernel on the smallest odd canvas whose middle is the pixel nearest to its centroid; values are kept as they are.

    The centroid is then at most half a pixel from the middle. An identity of any size becomes [[1]].
    """
    row, column = (int(np.floor(place + 0.5)) for place in centroid(kernel))
    rows, columns = np.nonzero(kernel.any(axis=1))[0], np.nonzero(kernel.any(axis=0))[0]
    tall, wide = max(row - rows[0], rows[-1] - row), max(column - columns[0], columns[-1] - column)
    canvas = np.zeros((2 * tall + 1, 2 * wide + 1), dtype=kernel.dtype)
    inside = kernel[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    top, left = rows[0] - row + tall, columns[0] - column + wide
    canvas[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return canvas


def convolve(image: Tensor, kernel: np.ndarray) -> Tensor:
    """True convolution, the kernel turned by 180°, of a (3, H, W) image; the valid part, (3, H − h + 1, W − w + 1).

    By FFT in float64, so a kernel of one pixel is exact. Raises ShapeError for a photo smaller than the kernel.
    """
    height, width = image.shape[1:]
    if height < kernel.shape[0] or width < kernel.shape[1]:
        raise ShapeError(f"a photo of {(height, width)} has no pixel that a kernel of {kernel.shape} sees whole; use larger ones")
    if kernel.shape == (1, 1):
        return image * float(kernel[0, 0])
    pulses = torch.from_numpy(kernel).to(image.device, torch.float64)
    spectrum = torch.fft.rfft2(image.double()) * torch.fft.rfft2(pulses, s=(height, width))
    wrapped: Tensor = torch.fft.irfft2(spectrum, s=(height, width))  # what wraps around lies outside the valid part
    return wrapped[:, kernel.shape[0] - 1 :, kernel.shape[1] - 1 :].to(image.dtype).contiguous()


def _turned(velocity: np.ndarray, angle: float) -> np.ndarray:
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([cosine * velocity[0] - sine * velocity[1], sine * velocity[0] + cosine * velocity[1]])
