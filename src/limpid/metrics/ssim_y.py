"""Structural similarity of luma over a Gaussian window: the second number of the protocol y601."""

from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.metrics._measure import Metric, check_photos
from limpid.metrics.psnr_y import luma601
from limpid.metrics.ssim_gauss import SMALLEST, ssim_gauss


def ssim_y(estimate: Tensor, target: Tensor) -> float:
    """``ssim_gauss`` of Y (BT.601, 16…235 of 255, range 255).

    ``estimate``, ``target``: (3, H, W), 0…1, sRGB-encoded, sides at least 11; the estimate is clamped to 0…1 first. -1…1, higher
    is better. Raises ShapeError when sizes differ, DataError for NaN.

    >>> import torch
    >>> round(ssim_y(torch.zeros(3, 16, 16), torch.ones(3, 16, 16)), 4)  # y = 16/255 and 235/255
    0.1356
    """
    check_photos("SSIM of luma", estimate, target, smallest=SMALLEST)
    return ssim_gauss(luma601(estimate.clamp(0, 1)), luma601(target))


def metric() -> Metric:
    """SSIM of luma."""
    return Metric(name="ssim_y", title="SSIM (Y)", compute=ssim_y, direction="higher", range=(-1.0, 1.0), digits=3)


ENTRY = MetricEntry(
    build=metric, source="Wang et al., IEEE TIP 2004, on ITU-R BT.601 luma; the convention of BasicSR's test_y_channel"
)
