"""Peak signal-to-noise ratio of one error over all bands: the textbook's, and everybody's outside reflection removal."""

from functools import partial

import torch
from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric
from limpid.metrics.psnr import CAP, decibels, squared_errors


def psnr_joint(estimate: Tensor, target: Tensor, *, clamped: bool = True, offset: float = 0.0) -> float:
    """10·log₁₀(1 / (MSE + offset)) with one MSE over all bands, dB, capped at 100.

    ``estimate``, ``target``: (C, H, W), 0…1. ``clamped``: bring the estimate to 0…1 first; measurements of denoisers often do
    not. ``offset`` is added to the MSE: 1e-8 for OpenRR's numbers (pyiqa), which so end at 80 dB. Never above ``psnr``; higher is
    better. Raises ShapeError when sizes differ, DataError for NaN.

    >>> estimate = torch.stack([torch.full((8, 8), value) for value in (0.1, 0.1, 0.4)])  # MSE (0.01 + 0.01 + 0.16) / 3
    >>> round(psnr_joint(estimate, torch.zeros(3, 8, 8)), 4)
    12.2185
    """
    return decibels(squared_errors(estimate, target, clamped=clamped).mean().reshape(1) + offset)


def capped(estimate: Tensor, target: Tensor, *, clamped: bool = True, offset: float = 0.0) -> int:
    """1 when all bands together are exact and counted as the cap, else 0."""
    return int(squared_errors(estimate, target, clamped=clamped).mean() + offset <= 10 ** (-CAP / 10))


def metric(*, clamped: bool = True, offset: float = 0.0) -> Metric:
    """Joint PSNR; the settings are those of ``psnr_joint``."""
    return Metric(
        name="psnr_joint" if clamped else "psnr_joint_unclamped",
        title="PSNR (joint)" if clamped else "PSNR (joint, unclamped)",
        compute=partial(psnr_joint, clamped=clamped, offset=offset),
        direction="higher",
        range=(0.0 if clamped else -torch.inf, CAP),
        unit="dB",
        digits=2,
        exact=partial(capped, clamped=clamped, offset=offset),
    )


ENTRY = MetricEntry(build=metric, source="textbook; scikit-image's and torchmetrics' peak_signal_noise_ratio with data range 1")
