"""Normalised cross-correlation over all values of a photo."""

import math

import torch
from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric, bands

_CONSTANT = 1e-14  # what rounding may leave of the variance of a constant photo


def ncc(estimate: Tensor, target: Tensor) -> float:
    """Mean of (x - μₓ)(y - μᵧ) / (σₓ σᵧ) over all C·H·W values, one mean and deviation over all bands.

    ``estimate``, ``target``: (C, H, W), 0…1; the estimate is clamped to 0…1 first. -1…1, higher is better; blind to brightness
    and contrast. NaN when one of the photos is constant. Raises ShapeError when sizes differ, DataError for NaN.

    >>> photo = torch.arange(192.0).reshape(3, 8, 8) / 191
    >>> round(ncc(0.5 * photo + 0.25, photo), 6), round(ncc(1 - photo, photo), 6)
    (1.0, -1.0)
    """
    sums = torch.zeros(5, dtype=torch.float64)
    for mine, theirs in bands("NCC", estimate, target):
        x, y = (mine - 0.5).flatten(), (theirs - 0.5).flatten()  # about the middle of the range float64 loses no printed digit
        sums += torch.stack([x.sum(), y.sum(), x @ x, y @ y, x @ y])
    first, second, first_square, second_square, product = (float(value) / target.numel() for value in sums)
    variances = (first_square - first**2, second_square - second**2)
    if min(variances) < _CONSTANT:
        return math.nan
    return max(-1.0, min(1.0, (product - first * second) / math.sqrt(variances[0] * variances[1])))


def metric() -> Metric:
    """The field's NCC."""
    return Metric(name="ncc", title="NCC", compute=ncc, direction="higher", range=(-1.0, 1.0))


ENTRY = MetricEntry(build=metric, source="Wan et al. (SIR2), ICCV 2017, as computed by ERRNet, CVPR 2019, arXiv:1904.00637")
