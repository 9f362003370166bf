"""Peak signal-to-noise ratio, per band or over all bands together."""

import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.errors import ShapeError

CAP = 100.0
"""dB given to a band that is exact, instead of infinity."""


def psnr(estimate: Tensor, target: Tensor, *, joint: bool = False) -> float:
    """10·log₁₀(1 / MSE) of one photo in dB: the mean of the bands' values, or of one MSE over all bands (``joint``).

    ``estimate``, ``target``: (3, H, W), 0…1; the estimate is clamped to 0…1 first and not rounded. Each band is capped at
    ``CAP``. Higher is better. Raises ShapeError when sizes differ. Source: ERRNet's evaluation, CVPR 2019, restated in float.

    >>> psnr(torch.full((3, 8, 8), 0.5), torch.full((3, 8, 8), 0.6))  # MSE 0.01
    20.0
    """
    if estimate.shape != target.shape or estimate.ndim != 3:
        raise ShapeError(f"PSNR compares two (C, H, W) photos; got {tuple(estimate.shape)} and {tuple(target.shape)}")
    squares = (estimate.double().clamp(0, 1) - target.double()).square()
    errors = squares.mean().reshape(1) if joint else squares.mean((1, 2))
    decibels = (-10 * torch.log10(errors)).clamp(max=CAP)
    return round(float(decibels.mean()), 10)


ENTRY = Entry(build=psnr, source="Wei et al., CVPR 2019 (band-wise); joint: textbook")
