"""Defocus: Gaussian, separable and fast, or the disk of a lens."""

import math
from typing import Literal

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.errors import SettingError

Border = Literal["constant", "reflect", "replicate"]
"""What lies outside a photo: black, its mirror image without the rim twice, or its rim for ever."""


def gaussian_kernel(size: int, sigma: float) -> Tensor:
    """Sampled Gaussian of odd ``size`` pixels and standard deviation ``sigma`` pixels, summing to 1; shape (size,).

    Raises SettingError for an even size or a sigma that is not above 0.
    """
    if size % 2 == 0 or sigma <= 0:
        raise SettingError(f"a Gaussian kernel needs an odd size and sigma above 0; got {size} and {sigma}")
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    return (weights / weights.sum()).float()


def gaussian_blur(image: Tensor, size: int, sigma: float, *, border: Border = "constant") -> Tensor:
    """Blur a (3, H, W) image with a ``gaussian_kernel``; same size.

    ``border``: ``constant`` (zeros, as the published synthesis does), ``reflect`` (``replicate`` where the photo is no
    larger than the kernel's radius) or ``replicate``.
    """
    kernel = gaussian_kernel(size, sigma).to(image)
    radius = size // 2
    mode = border if min(image.shape[-2:]) > radius else ("replicate" if border == "reflect" else border)
    padded = F.pad(image[:, None], (radius, radius, radius, radius), mode=mode)  # (3, 1, H + 2r, W + 2r)
    rows = F.conv2d(padded, kernel.view(1, 1, 1, size))
    return F.conv2d(rows, kernel.view(1, 1, size, 1))[:, 0]


def disk_kernel(radius: float) -> Tensor:
    """The image of a point out of focus: a disk of ``radius`` pixels with a rim one pixel soft, summing to 1; (k, k).

    Raises SettingError for a radius that is not above 0.
    """
    if radius <= 0:
        raise SettingError(f"a disk needs a radius above 0 pixels; got {radius}")
    reach = math.ceil(radius)
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32)
    disk = (radius + 0.5 - torch.hypot(offsets[:, None], offsets[None, :])).clamp(0, 1)
    return disk / disk.sum()


def disk_blur(image: Tensor, radius: float) -> Tensor:
    """Blur a (C, H, W) image with a ``disk_kernel``; same size, borders mirrored without the rim twice."""
    kernel = disk_kernel(radius).numpy()
    blurred = cv2.filter2D(image.permute(1, 2, 0).numpy(), -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return torch.from_numpy(blurred.reshape(*image.shape[1:], -1)).permute(2, 0, 1).contiguous()
