"""Structural similarity of two bands over any window, in strips of rows so that memory does not grow with the photo.

The library's function is not used for the Gaussian window because its meaning changed between versions (torchmetrics crops the
padded border up to 1.4 and no longer in 1.9); here every window lies inside the photo. Tests compare both with the libraries.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Band = NDArray[np.float64]

BRIGHTNESS = 0.01**2
"""(K₁ L)², keeps the brightness term finite; L = 1."""

CONTRAST = 0.03**2
"""(K₂ L)², keeps the contrast term finite; L = 1."""

_STRIP = 256  # rows of windows at a time: fits the cache for usual widths


@dataclass(frozen=True, kw_only=True)
class Window:
    """How local means are taken: ``mean`` filters a band, the ``margin`` outermost pixels of the result are not used.

    ``sample``: factor on variances, n / (n - 1) where they are those of a sample.
    """

    margin: int
    mean: Callable[[Band], Any]
    sample: float = 1.0


def uniform(size: int) -> Window:
    """A square of ``size`` pixels, odd, with sample variances: scikit-image's default."""
    return Window(margin=size // 2, mean=lambda band: cv2.blur(band, (size, size)), sample=size**2 / (size**2 - 1))


def gaussian(*, sigma: float = 1.5, size: int = 11) -> Window:
    """A Gaussian cut off at ``size`` pixels, odd, with population variances: Wang et al., 2004."""
    profile = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    profile /= profile.sum()
    return Window(margin=size // 2, mean=lambda band: cv2.sepFilter2D(band, -1, profile, profile))


def similarity(mine: Band, theirs: Band, window: Window, *, floored: bool = False) -> tuple[float, float]:
    """Means over all windows inside two (H, W) bands of SSIM and of its contrast-and-structure term alone.

    ``floored``: negative contrast terms count as 0. Both sides must exceed 2·margin.
    """
    margin, (height, width) = window.margin, mine.shape
    rows = height - 2 * margin
    totals = np.zeros(2)
    for top in range(0, rows, _STRIP):
        strip = slice(top, min(top + _STRIP, rows) + 2 * margin)
        brightness, contrast = _terms(mine[strip], theirs[strip], window)
        if floored:
            contrast = contrast.clip(min=0)
        totals += (float((brightness * contrast).sum()), float(contrast.sum()))
    whole, contrast_alone = totals / (rows * (width - 2 * margin))
    return float(whole), float(contrast_alone)


def _terms(mine: Band, theirs: Band, window: Window) -> tuple[Band, Band]:
    inside = slice(window.margin, -window.margin or None)

    def mean(band: Band) -> Band:
        filtered: Band = window.mean(band)[inside, inside]
        return filtered

    first, second = mean(mine), mean(theirs)
    product, powers = first * second, first**2 + second**2
    covariance = window.sample * (mean(mine * theirs) - product)
    variances = window.sample * (mean(mine**2 + theirs**2) - powers)
    brightness = (2 * product + BRIGHTNESS) / (powers + BRIGHTNESS)
    return brightness, (2 * covariance + CONTRAST) / (variances + CONTRAST)
