"""Mean squared error up to one brightness: how intrinsic layers are compared."""

import torch
from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric, bands


def si_mse(estimate: Tensor, target: Tensor) -> float:
    """Least mean, over all α, of (y - αx)², one α for the whole photo: (Σy² - (Σxy)² / Σx²) / n.

    ``estimate`` x, ``target`` y: (C, H, W); not clamped, since the scale of albedo and shading is free. At least 0, lower is
    better. Raises ShapeError when sizes differ, DataError for NaN.

    >>> target = torch.tensor([0.2, 0.6]).expand(3, 4, 2)
    >>> si_mse(0.3 * target, target) < 1e-12, round(si_mse(torch.ones(3, 4, 2), target), 4)  # a constant leaves the variance
    (True, 0.04)
    """
    sums = torch.zeros(3, dtype=torch.float64)
    for mine, theirs in bands("si-MSE", estimate, target, clamped=False):
        x, y = mine.flatten(), theirs.flatten()
        sums += torch.stack([x @ x, x @ y, y @ y])
    energy, overlap, signal = (float(value) for value in sums)
    return max(0.0, signal - (overlap**2 / energy if energy else 0.0)) / target.numel()


def metric() -> Metric:
    """si-MSE."""
    return Metric(name="si_mse", title="si-MSE", compute=si_mse, direction="lower", range=(0.0, torch.inf))


ENTRY = MetricEntry(build=metric, source="Grosse et al., ICCV 2009; as used on MPI Sintel by Chen & Koltun, ICCV 2013")
