"""Structural dissimilarity: how intrinsic layers are compared beside their errors."""

from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric
from limpid.metrics.ssim_gauss import ssim_gauss


def dssim(estimate: Tensor, target: Tensor) -> float:
    """(1 - SSIM) / 2 with the Gaussian window of ``ssim_gauss``.

    ``estimate``, ``target``: (C, H, W), 0…1, sides at least 11; the estimate is clamped to 0…1 and not rescaled. 0…1, lower is
    better. Raises ShapeError when sizes differ, DataError for NaN.

    >>> import torch
    >>> round(dssim(torch.full((3, 16, 16), 0.5), torch.full((3, 16, 16), 0.6)), 4)
    0.0082
    """
    return (1 - ssim_gauss(estimate, target)) / 2


def metric() -> Metric:
    """DSSIM."""
    return Metric(name="dssim", title="DSSIM", compute=dssim, direction="lower", range=(0.0, 1.0))


ENTRY = MetricEntry(build=metric, source="Chen & Koltun, ICCV 2013, on SSIM of Wang et al., IEEE TIP 2004")
