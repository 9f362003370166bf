"""Structural similarity at five scales."""

import math

import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric, bands
from limpid.metrics._structure import gaussian, similarity

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponent of each scale, fine to coarse (Wang et al., 2003, table 1)."""

SMALLEST = 10 * 2 ** (len(WEIGHTS) - 1) + 1
"""Side that leaves one window at the coarsest scale, pixels."""


def ms_ssim(estimate: Tensor, target: Tensor) -> float:
    """Π over five scales of the mean contrast term (of SSIM at the last) to the power of its weight; mean over bands.

    ``estimate``, ``target``: (C, H, W), 0…1, sides at least 161; the estimate is clamped to 0…1 first. Windows are those of
    ``ssim_gauss``; scales are means of 2×2 pixels; where a side is odd, the first row and column are doubled (piq, which the
    published numbers of WindowSeat come from). Negative terms count as 0. 0…1, higher is better.
    Raises ShapeError when sizes differ, DataError for NaN.

    >>> import torch
    >>> round(ms_ssim(torch.full((3, 161, 161), 0.5), torch.full((3, 161, 161), 0.6)), 4)  # ((0.6 + c₁) / (0.61 + c₁))^0.1333
    0.9978
    """
    values = [_of_band(mine, theirs) for mine, theirs in bands("MS-SSIM", estimate, target, smallest=SMALLEST)]
    return sum(values) / len(values)


def _of_band(mine: Tensor, theirs: Tensor) -> float:
    terms = []
    for scale in range(len(WEIGHTS)):
        if scale > 0:
            mine, theirs = _halve(mine), _halve(theirs)
        whole, contrast = similarity(mine.numpy(), theirs.numpy(), gaussian())
        terms.append(max(0.0, whole if scale == len(WEIGHTS) - 1 else contrast))
    return math.prod(math.pow(term, weight) for term, weight in zip(terms, WEIGHTS, strict=True))


def _halve(band: Tensor) -> Tensor:
    """(H, W) → half of it, rounded as ``ms_ssim`` says."""
    odd = int(any(side % 2 for side in band.shape))
    padded = F.pad(band[None, None], (odd, 0, odd, 0), mode="replicate")
    return F.avg_pool2d(padded, 2)[0, 0]


def metric() -> Metric:
    """MS-SSIM."""
    return Metric(name="ms_ssim", title="MS-SSIM", compute=ms_ssim, direction="higher", range=(0.0, 1.0))


ENTRY = MetricEntry(
    build=metric, source="Wang, Simoncelli & Bovik, Asilomar 2003, doi:10.1109/ACSSC.2003.1292216; borders as in piq"
)
