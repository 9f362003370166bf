"""Peak signal-to-noise ratio of luma: the number of super-resolution and of the protocol y601."""

import torch
from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.errors import ShapeError
from limpid.metrics._measure import Metric, check_photos
from limpid.metrics.psnr import CAP, decibels, squared_errors


def luma601(photo: Tensor) -> Tensor:
    """Y of BT.601 with the studio range 16…235 on a scale of 255, as MATLAB's rgb2ycbcr, not rounded.

    (3, H, W), 0…1, sRGB-encoded → (1, H, W), float64, 16/255…235/255. Raises ShapeError for other bands.
    """
    if photo.ndim != 3 or photo.shape[0] != 3:
        raise ShapeError(f"luma needs a (3, H, W) photo; got {tuple(photo.shape)}")
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64)
    return (torch.einsum("c,chw->hw", weights, photo.detach().cpu().double()) + 16).unsqueeze(0) / 255


def psnr_y(estimate: Tensor, target: Tensor) -> float:
    """10·log₁₀(1 / MSE) of Y (BT.601, 16…235 of 255, peak 255), dB, capped at 100.

    ``estimate``, ``target``: (3, H, W), 0…1, sRGB-encoded; the estimate is clamped to 0…1 first. Higher is better; a grey error
    scores 1.3 dB more than in RGB because luma is compressed. Raises ShapeError when sizes differ, DataError for NaN.

    >>> import torch
    >>> round(psnr_y(torch.full((3, 8, 8), 0.5), torch.full((3, 8, 8), 0.6)), 4)  # MSE 0.01 · (219 / 255)²
    21.3219
    """
    return decibels(_error(estimate, target))


def capped(estimate: Tensor, target: Tensor) -> int:
    """1 when luma is exact and counted as the cap, else 0."""
    return int(_error(estimate, target) <= 10 ** (-CAP / 10))


def _error(estimate: Tensor, target: Tensor) -> Tensor:
    check_photos("PSNR of luma", estimate, target)
    return squared_errors(luma601(estimate.clamp(0, 1)), luma601(target))


def metric() -> Metric:
    """PSNR of luma."""
    return Metric(
        name="psnr_y",
        title="PSNR (Y)",
        compute=psnr_y,
        direction="higher",
        range=(0.0, CAP),
        unit="dB",
        digits=2,
        exact=capped,
    )


ENTRY = MetricEntry(build=metric, source="ITU-R BT.601; MATLAB rgb2ycbcr, the convention of BasicSR's test_y_channel")
