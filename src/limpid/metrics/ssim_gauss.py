"""Structural similarity over a Gaussian window, as its authors defined it."""

from functools import partial

from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric, bands
from limpid.metrics._structure import gaussian, similarity

SMALLEST = 11
"""Side of the window, pixels."""


def ssim_gauss(estimate: Tensor, target: Tensor, *, floored: bool = False, clamped: bool = True) -> float:
    """SSIM over an 11×11 Gaussian of sigma 1.5 px with population variances, mean over bands and windows inside the photo.

    ``estimate``, ``target``: (C, H, W), 0…1, sides at least 11. ``floored``: windows of negative contrast term count as 0 (pyiqa,
    the OpenRR protocol). ``clamped``: bring the estimate to 0…1 first. -1…1, higher is better. The formula is that of ``ssim``.
    Raises ShapeError when sizes differ, DataError for NaN.

    >>> import torch
    >>> round(ssim_gauss(torch.full((3, 16, 16), 0.5), torch.full((3, 16, 16), 0.6)), 4)
    0.9836
    """
    pairs = bands("SSIM", estimate, target, smallest=SMALLEST, clamped=clamped)
    values = [similarity(mine.numpy(), theirs.numpy(), gaussian(), floored=floored)[0] for mine, theirs in pairs]
    return sum(values) / len(values)


def metric(*, floored: bool = False, clamped: bool = True) -> Metric:
    """SSIM with the Gaussian window; the settings are those of ``ssim_gauss``."""
    return Metric(
        name="ssim_gauss" if clamped else "ssim_gauss_unclamped",
        title="SSIM (Gaussian)" if clamped else "SSIM (Gaussian, unclamped)",
        compute=partial(ssim_gauss, floored=floored, clamped=clamped),
        direction="higher",
        range=(-1.0, 1.0),
        digits=3,
    )


ENTRY = MetricEntry(
    build=metric, source="Wang, Bovik, Sheikh & Simoncelli, IEEE TIP 2004, doi:10.1109/TIP.2003.819861; BasicSR, pyiqa"
)
