"""Structural similarity over a uniform 7×7 window: the headline of the field."""

from functools import partial

from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.errors import SettingError
from limpid.metrics._measure import Metric, bands
from limpid.metrics._structure import similarity, uniform


def ssim(estimate: Tensor, target: Tensor, *, window: int = 7) -> float:
    """Mean over bands and windows of (2μₓμᵧ + c₁)(2σₓᵧ + c₂) / ((μₓ² + μᵧ² + c₁)(σₓ² + σᵧ² + c₂)), sample variances.

    ``estimate``, ``target``: (C, H, W), 0…1, sides at least ``window`` (odd, pixels); the estimate is clamped to 0…1 first.
    c₁ = 0.01², c₂ = 0.03²; only windows inside the photo count. -1…1, higher is better. Equals scikit-image's
    ``structural_similarity`` with data range 1. Raises ShapeError when sizes differ, DataError for NaN.

    >>> import torch
    >>> round(ssim(torch.full((3, 8, 8), 0.5), torch.full((3, 8, 8), 0.6)), 4)  # (2·0.3 + c₁) / (0.61 + c₁)
    0.9836
    """
    if window < 3 or window % 2 == 0:
        raise SettingError(f"ssim.window must be an odd number of pixels, at least 3; got {window}")
    pairs = bands("SSIM", estimate, target, smallest=window)
    values = [similarity(mine.numpy(), theirs.numpy(), uniform(window))[0] for mine, theirs in pairs]
    return sum(values) / len(values)


def metric(*, window: int = 7) -> Metric:
    """The field's SSIM."""
    return Metric(name="ssim", title="SSIM", compute=partial(ssim, window=window), direction="higher", range=(-1.0, 1.0), digits=3)


ENTRY = MetricEntry(
    build=metric, source="Wang et al., IEEE TIP 2004; window and variances of scikit-image, as in ERRNet, CVPR 2019"
)
