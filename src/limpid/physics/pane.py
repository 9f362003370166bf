"""What a pane of glass does to the picture it mirrors: it doubles it, and shows it where the mirrored scene is lit."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_GRID = 4  # cells per side of an illumination mask
_SPREAD = 2.0  # standard deviation of its cells, before the logistic: most of them near dark or near full light


def shift(image: Tensor, distance: float, direction: float) -> Tensor:
    """Move a (3, H, W) image by ``distance`` pixels towards ``direction`` degrees, bilinear, its rim repeated.

    0° is to the right, 90° down.
    """
    height, width = image.shape[-2:]
    right, down = distance * math.cos(math.radians(direction)), distance * math.sin(math.radians(direction))
    theta = torch.tensor([[[1.0, 0.0, -2 * right / width], [0.0, 1.0, -2 * down / height]]])
    grid = F.affine_grid(theta, [1, 3, height, width], align_corners=False)
    return F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0]


def draw_illumination(generator: np.random.Generator) -> list[list[float]]:
    """A coarse grid of normal deviates, plain data for ``illumination``."""
    cells: list[list[float]] = generator.normal(0.0, _SPREAD, (_GRID, _GRID)).round(4).tolist()
    return cells


def illumination(mask: list[list[float]], like: Tensor) -> Tensor:
    """A smooth field 0…1 from a coarse grid of normal deviates: bicubic enlargement, then a logistic; (1, H, W)."""
    grid = torch.tensor(mask).to(like)[None, None]
    return torch.sigmoid(F.interpolate(grid, size=like.shape[-2:], mode="bicubic", align_corners=True))[0]
