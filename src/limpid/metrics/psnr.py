"""Peak signal-to-noise ratio per band: the headline of the field."""

import torch
from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric, bands

CAP = 100.0
"""dB given to a band that is exact, instead of infinity."""


def psnr(estimate: Tensor, target: Tensor) -> float:
    """10·log₁₀(1 / MSE) of one photo in dB, as the mean of the bands' values; see ``psnr_joint`` for one MSE over all bands.

    ``estimate``, ``target``: (C, H, W), 0…1; the estimate is clamped to 0…1 first and not rounded. Each band is capped at
    ``CAP``. 0…100 dB, higher is better. Raises ShapeError when sizes differ, DataError for NaN.
    Source: ERRNet's evaluation, CVPR 2019, restated in float.

    >>> round(psnr(torch.full((3, 8, 8), 0.5), torch.full((3, 8, 8), 0.6)), 4)  # MSE 0.01
    20.0
    """
    return decibels(squared_errors(estimate, target))


def capped_bands(estimate: Tensor, target: Tensor) -> int:
    """How many bands of a pair, (C, H, W), are exact and counted as ``CAP``."""
    return int((squared_errors(estimate, target) <= 10 ** (-CAP / 10)).sum())


def squared_errors(estimate: Tensor, target: Tensor, *, clamped: bool = True) -> Tensor:
    """Mean squared error of each band, (C,), float64; the estimate is clamped to 0…1 first if ``clamped``."""
    pairs = bands("PSNR", estimate, target, clamped=clamped)
    return torch.stack([(mine - theirs).square().mean() for mine, theirs in pairs])


def decibels(errors: Tensor) -> float:
    """Mean of 10·log₁₀(1 / error), each capped at ``CAP``, dB."""
    return round(float((-10 * torch.log10(errors)).clamp(max=CAP).mean()), 10)


def metric() -> Metric:
    """The field's PSNR."""
    return Metric(
        name="psnr",
        title="PSNR",
        compute=psnr,
        direction="higher",
        range=(0.0, CAP),
        unit="dB",
        digits=2,
        exact=capped_bands,
    )


ENTRY = MetricEntry(build=metric, source="Wei et al. (ERRNet), CVPR 2019, arXiv:1904.00637: util/index.py, mean over RGB")
