"""Structural similarity through a Gaussian window, for the losses that are made of it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.errors import ShapeError
from limpid.losses._check import check_pair

SIGMA = 1.5
"""Standard deviation of the window, pixels."""

K1, K2 = 0.01, 0.03
"""Roots of the two constants that keep flat regions from dividing by zero, in units of full scale."""


def window_size(sigma: float) -> int:
    """Side of the window in pixels: 3.5 deviations on either side (11 for 1.5)."""
    return 2 * int(3.5 * sigma + 0.5) + 1


def similarity(estimate: Tensor, target: Tensor, sigma: float = SIGMA) -> tuple[Tensor, Tensor]:
    """Mean of SSIM and mean of its contrast-structure part for each image: two of (B,), at most 1.

    Two (B, C, H, W), 1 = full scale. Only windows that lie inside the image count; covariances are those of the population.
    Raises ShapeError when shapes differ or a side is smaller than the window. Source: Wang et al., IEEE TIP 2004.
    """
    check_pair(estimate, target)
    size = window_size(sigma)
    if min(estimate.shape[-2:]) < size:
        height, width = estimate.shape[-2:]
        raise ShapeError(f"structural similarity looks through windows of {size}×{size} pixels; got {height}×{width}, crop larger")
    moments = torch.stack((estimate, target, estimate.square(), target.square(), estimate * target))
    mean_x, mean_y, square_x, square_y, product = _blur(moments, sigma, size)
    spread = (square_x - mean_x.square()).clamp(min=0) + (square_y - mean_y.square()).clamp(min=0)
    contrast = (2 * (product - mean_x * mean_y) + K2**2) / (spread + K2**2)
    luminance = (2 * mean_x * mean_y + K1**2) / (mean_x.square() + mean_y.square() + K1**2)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _blur(images: Tensor, sigma: float, size: int) -> Tensor:
    """(M, B, C, H, W) → (M, B, C, H − size + 1, W − size + 1)."""
    offsets = torch.arange(size, dtype=images.dtype, device=images.device) - size // 2
    weights = torch.softmax(-offsets.square() / (2 * sigma**2), dim=0)  # a Gaussian of sum 1
    planes = images.flatten(0, 2).unsqueeze(0)  # as channels, (1, M·B·C, H, W): many times faster on CPUs than as a batch
    count = planes.shape[1]
    down, across = weights.reshape(1, 1, -1, 1).expand(count, -1, -1, -1), weights.reshape(1, 1, 1, -1).expand(count, -1, -1, -1)
    with torch.autocast(images.device.type, enabled=False):  # variances are small differences of large numbers
        blurred = F.conv2d(F.conv2d(planes, down, groups=count), across, groups=count)
    return blurred.reshape(*images.shape[:3], *blurred.shape[-2:])
