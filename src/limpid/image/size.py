"""Padding to what a network needs, cropping back, resizing."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.errors import SettingError


def padded_size(height: int, width: int, multiple: int, minimum: int = 1) -> tuple[int, int]:
    """Smallest (height, width) that is at least ``minimum`` and divisible by ``multiple``; pixels."""
    rows, columns = (-(-max(side, minimum) // multiple) * multiple for side in (height, width))
    return rows, columns


def pad(image: Tensor, multiple: int, minimum: int = 1) -> Tensor:
    """Repeat the last row and column of a (…, 3, H, W) image until it has its ``padded_size``; any size from 1×1."""
    height, width = image.shape[-2:]
    rows, columns = padded_size(height, width, multiple, minimum)
    if (rows, columns) == (height, width):
        return image
    batched = image if image.ndim == 4 else image[None]
    grown = F.pad(batched, (0, columns - width, 0, rows - height), mode="replicate")
    return grown if image.ndim == 4 else grown[0]


def crop(image: Tensor, height: int, width: int) -> Tensor:
    """The top left (…, height, width) of an image."""
    return image[..., :height, :width]


def local_mean(image: Tensor, side: int) -> Tensor:
    """Mean over a centred square of odd ``side``, pixels, of a float image (C, H, W); at the border only pixels of it count."""
    radius, anywhere = side // 2, (-1, -1)
    planes = [
        cv2.boxFilter(plane, -1, (side, side), anchor=anywhere, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in image.contiguous().numpy()
    ]
    down, across = (_counted(length, radius) for length in image.shape[-2:])
    return torch.from_numpy(np.stack(planes) / (down[:, None] * across))


def _counted(length: int, radius: int) -> np.ndarray:
    """How many of the pixels around each of ``length`` pixels are there, (length,)."""
    places = np.arange(length)
    counts: np.ndarray = np.minimum(places, radius) + np.minimum(length - 1 - places, radius) + 1
    return counts.astype(np.float32)


def shrink(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Reduce (H, W, C) pixels of any depth by area averages to (height, width, C), in their own depth.

    Raises SettingError for a side below 1 pixel.
    """
    if min(height, width) < 1:
        raise SettingError(f"an image cannot be resized to {height}×{width}; both sides must be at least 1 pixel")
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.reshape(height, width, pixels.shape[2]))


def fit(height: int, width: int, longest: int) -> tuple[int, int]:
    """(height, width) scaled down so that the longer side is at most ``longest`` pixels, each side at least 1."""
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
