"""Bright, pale pictures, as snow, studios and hazy windows give them: little contrast just below white."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range


@dataclass(frozen=True, kw_only=True)
class HighKey:
    """y = 1 − c·(1 − x)^γ on encoded values: shadows opened by γ, the span below white cut to c.

    ``gamma``, ``contrast``: ranges of γ and c. Source: tone curves of photo editors; own.
    """

    gamma: tuple[float, float] = (1.0, 3.0)
    contrast: tuple[float, float] = (0.3, 1.0)

    def __post_init__(self) -> None:
        check_range("high_key.gamma", self.gamma, low=0.1)
        check_range("high_key.contrast", self.contrast, high=1.0)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the curve; the size of the photo plays no part."""
        return {"gamma": float(generator.uniform(*self.gamma)), "contrast": float(generator.uniform(*self.contrast))}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Brighten a (3, H, W) photo, 0…1, encoded; raises ShapeError for another shape."""
        check_photo(image)
        dark = (1 - image.clamp(0, 1)) ** parameters["gamma"]
        return Degraded(image=1 - parameters["contrast"] * dark, target=image, parameters=parameters)


ENTRY = Entry(build=HighKey, source="tone curve of a high-key picture; own")
