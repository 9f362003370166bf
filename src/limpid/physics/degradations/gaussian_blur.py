"""Gaussian blur of unequal widths, along the axes by published integer sizes or along any direction."""

from dataclasses import dataclass
from math import ceil, cos, radians, sin
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range

_TABLES = {1: (1.0,), 3: (0.25, 0.5, 0.25), 5: (0.0625, 0.25, 0.375, 0.25, 0.0625)}
_TABLES[7] = (0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125)


@dataclass(frozen=True, kw_only=True)
class GaussianBlur:
    """y = G∗x with G an anisotropic Gaussian; same size, borders mirrored without the rim twice.

    ``law`` ``sizes``: whole half-sizes of the kernel, in pixels, drawn evenly from ``half_sizes`` (both ends included) for
    rows and for columns; (0, 0) leaves the photo alone. The deviation follows from the size as in OpenCV.
    ``law`` ``widths``: standard deviations along two perpendicular axes, pixels, uniform within ``sigma``, and the
    direction of the first within ``angle``, degrees from the right, clockwise. Source: specs of the dead-leaves restoration
    study (sizes); own (widths).
    """

    law: Literal["sizes", "widths"] = "sizes"
    half_sizes: tuple[int, int] = (0, 2)
    sigma: tuple[float, float] = (0.3, 3.0)
    angle: tuple[float, float] = (0.0, 180.0)

    def __post_init__(self) -> None:
        check_range("gaussian_blur.half_sizes", self.half_sizes)
        check_range("gaussian_blur.sigma", self.sigma, low=0.01)
        check_range("gaussian_blur.angle", self.angle, low=-360.0, high=360.0)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the kernel; the size of the photo plays no part."""
        if self.law == "sizes":
            rows, columns = generator.integers(self.half_sizes[0], self.half_sizes[1] + 1, 2).tolist()
            return {"half_sizes": [rows, columns]}
        return {"sigma": generator.uniform(*self.sigma, 2).tolist(), "angle": float(generator.uniform(*self.angle))}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Blur a (3, H, W) photo, 0…1, encoded; raises ShapeError for another shape."""
        check_photo(image)
        if "half_sizes" in parameters:
            rows, columns = (sized_profile(2 * half + 1) for half in parameters["half_sizes"])
            kernel = torch.outer(rows, columns)
        else:
            kernel = gaussian(parameters["sigma"], parameters["angle"])
        height, width = kernel.shape
        rim = (width // 2, width // 2, height // 2, height // 2)
        mode = "reflect" if image.shape[1] > height // 2 and image.shape[2] > width // 2 else "replicate"
        padded = F.pad(image[:, None], rim, mode=mode)  # (3, 1, H + 2r, W + 2s)
        blurred = F.conv2d(padded, kernel.to(image)[None, None])[:, 0]
        return Degraded(image=blurred, target=image, parameters=parameters)


def sized_profile(size: int) -> Tensor:
    """The Gaussian of OpenCV for an odd kernel size: a table up to 7, then σ = 0.3·((size − 1)/2 − 1) + 0.8; (size,), float64."""
    if size in _TABLES:
        return torch.tensor(_TABLES[size], dtype=torch.float64)
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    weights = torch.exp(-0.5 * (offsets / (0.3 * ((size - 1) / 2 - 1) + 0.8)) ** 2)
    return weights / weights.sum()


def gaussian(sigma: tuple[float, float], angle: float) -> Tensor:
    """A sampled Gaussian with deviations ``sigma`` (pixels) along ``angle`` (degrees, clockwise) and across it.

    (k, k), k = 2⌈3·max σ⌉ + 1, float64, sum 1.
    """
    radius = ceil(3 * max(sigma))
    down, right = torch.meshgrid(*[torch.arange(-radius, radius + 1, dtype=torch.float64)] * 2, indexing="ij")
    along = right * cos(radians(angle)) + down * sin(radians(angle))
    across = down * cos(radians(angle)) - right * sin(radians(angle))
    weights = torch.exp(-0.5 * ((along / sigma[0]) ** 2 + (across / sigma[1]) ** 2))
    return weights / weights.sum()


ENTRY = Entry(build=GaussianBlur, source="OpenCV's rule for Gaussian sizes; own law for widths and direction")
