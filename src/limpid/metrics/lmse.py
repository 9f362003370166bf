"""Local mean squared error: each window may choose its own brightness."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.errors import SettingError
from limpid.metrics._measure import Metric, bands

_DARK = 1e-5 / 255**2  # below this energy a window of the estimate is black: 1e-5 on the field's scale of 255


def lmse(estimate: Tensor, target: Tensor, *, window: int = 20, share: float | None = None, clamped: bool = True) -> float:
    """Σ |y - αx|² over all windows of all bands / Σ |y|² over the same windows, α = Σxy / Σx² of the window (0 if x is black).

    ``estimate`` x, ``target`` y: (C, H, W), 0…1, sides at least a window. ``window``: side in pixels, neighbours overlap by half;
    ``share`` sets it to a share of the longer side instead (0.1 for MPI Sintel). ``clamped``: bring the estimate to 0…1 first.
    0…1, lower is better; blind to brightness. NaN when the target is black. Raises ShapeError when sizes differ, DataError for NaN.

    >>> target = torch.ones(3, 20, 20)
    >>> estimate = torch.ones(3, 20, 20)
    >>> estimate[:, :10] = 0.5  # α = 1.2 leaves residuals of 0.4 and 0.2
    >>> round(lmse(estimate, target), 4)
    0.1
    """
    side = _side(window, share, target)
    missed, signal = 0.0, 0.0
    for mine, theirs in bands("LMSE", estimate, target, smallest=side, clamped=clamped):
        energy, overlap, truth = (_sums(values, side) for values in (mine * mine, mine * theirs, theirs * theirs))
        explained = torch.where(energy > _DARK, overlap.square() / energy.clamp(min=_DARK), 0)
        missed += float((truth - explained).clamp(min=0).sum())
        signal += float(truth.sum())
    return missed / signal if signal else math.nan


def _side(window: int, share: float | None, target: Tensor) -> int:
    if window < 2 or (share is not None and not 0 < share <= 1):
        raise SettingError(f"lmse.window is at least 2 px and lmse.share within 0…1; got {window} and {share}")
    return window if share is None else max(2, round(share * max(target.shape[-2:])))


def _sums(values: Tensor, side: int) -> Tensor:
    """Sums over all windows of ``side`` pixels, half a window apart; (H, W) → (rows, columns) of windows."""
    return F.avg_pool2d(values[None], side, stride=side // 2, divisor_override=1)[0]


def metric(*, window: int = 20, share: float | None = None, clamped: bool = True) -> Metric:
    """The field's LMSE; the settings are those of ``lmse``."""
    compute = partial(lmse, window=window, share=share, clamped=clamped)
    return Metric(name="lmse", title="LMSE", compute=compute, direction="lower", range=(0.0, 1.0))


ENTRY = MetricEntry(build=metric, source="Grosse et al., ICCV 2009; 20 px, 10 apart, as in ERRNet, CVPR 2019, arXiv:1904.00637")
