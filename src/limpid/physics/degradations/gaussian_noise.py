"""Additive white Gaussian noise of one strength per photo."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.degradation import Degraded, check_photo, new_seed
from limpid.physics.formation import Parameters, check_range
from limpid.physics.seeds import generator as seeded


@dataclass(frozen=True, kw_only=True)
class GaussianNoise:
    """y = x + (σ/255)·n, n standard normal per value, independent; not clipped.

    ``sigma``: range of the standard deviation on the 0–255 scale, drawn uniformly. Source: the usual model of blind
    denoising, e.g. Zhang et al., TIP 2017, arXiv:1608.03981 (DnCNN).
    """

    sigma: tuple[float, float] = (0.0, 50.0)

    def __post_init__(self) -> None:
        check_range("gaussian_noise.sigma", self.sigma)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the strength and the seed of the field; the size of the photo plays no part."""
        return {"sigma": float(generator.uniform(*self.sigma)), "seed": new_seed(generator)}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Add noise to a (3, H, W) photo, 0…1, encoded; raises ShapeError for another shape."""
        check_photo(image)
        field = seeded(parameters["seed"], "noise").standard_normal(tuple(image.shape), dtype=np.float32)
        noisy = image + parameters["sigma"] / 255 * torch.from_numpy(field).to(image)
        return Degraded(image=noisy, target=image, parameters=parameters)


ENTRY = Entry(build=GaussianNoise, source="Zhang et al., TIP 2017, arXiv:1608.03981 (blind range of σ)")
