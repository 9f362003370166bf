"""Pieces that painted scenes share: colours, gradients and random fields."""

import numpy as np

Size = tuple[int, int]


def noise(generator: np.random.Generator, size: Size, *, slope: float = 1.0, stretch: float = 1.0) -> np.ndarray:
    """A Gaussian field whose amplitude falls as 1/f^``slope``, mean 0, deviation 1; (H, W), float32.

    ``stretch``: how many times wider than high its structures are, as on water.
    """
    height, width = size
    down, right = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    frequency = np.hypot(down, right * stretch)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(generator.normal(size=size)) / frequency**slope
    field = np.fft.irfft2(spectrum, s=size)
    return np.asarray((field - field.mean()) / max(field.std(), 1e-9), np.float32)


def ramp(generator: np.random.Generator, size: Size, *, upright: bool = False) -> np.ndarray:
    """A linear slope from 0 to 1 towards any direction, or from top to bottom; (H, W), float32."""
    height, width = size
    turn = np.pi / 2 if upright else generator.uniform(0, 2 * np.pi)
    slope = np.linspace(-1, 1, width)[None, :] * np.cos(turn) + np.linspace(-1, 1, height)[:, None] * np.sin(turn)
    return np.asarray((slope - slope.min()) / np.ptp(slope), np.float32)


def colour(
    generator: np.random.Generator, *, value: tuple[float, float], saturation: tuple[float, float] = (0.0, 0.3)
) -> np.ndarray:
    """A colour of any hue, its brightest band within ``value``; (3,), encoded."""
    hue = generator.uniform(0, 1)
    bands = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    pale = 1 - generator.uniform(*saturation) * (1 - bands)
    return np.asarray(generator.uniform(*value) * pale, np.float32)


def between(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Two colours (3,) mixed by a field (H, W), 0…1; (H, W, 3)."""
    return np.asarray(first + (second - first) * share[..., None])
