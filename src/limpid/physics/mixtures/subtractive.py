"""CEILNet's formation: a blurred reflection is added, then darkened by what overflows."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.blur import Border, gaussian_blur
from limpid.physics.formation import Mixture, Parameters, attenuate, check_kernel, check_layers, check_range


@dataclass(frozen=True, kw_only=True)
class Subtractive:
    """I = clip(T + R̃), R̃ = clip(G∗R − factor·(mean of (T + G∗R) above 1, minus 1)), on encoded values.

    ``kernel``: odd size of the Gaussian in pixels; ``sigma``: its standard deviation, pixels, drawn uniformly;
    ``factor``: strength of the darkening; ``border``: what lies outside the reflection (``constant`` is black, as published;
    ``reflect``). Source: Fan et al., ICCV 2017, arXiv:1708.03474; constants of their code.
    """

    kernel: int = 11
    sigma: tuple[float, float] = (2.0, 5.0)
    factor: float = 1.3
    border: Border = "constant"

    def __post_init__(self) -> None:
        check_kernel("subtractive.kernel", self.kernel)
        check_range("subtractive.sigma", self.sigma, low=0.01)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the blur; the size of the photo plays no part."""
        sigma = float(generator.uniform(*self.sigma))
        return {"kernel": self.kernel, "sigma": sigma, "factor": self.factor, "border": self.border}

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        blurred = gaussian_blur(reflection, parameters["kernel"], parameters["sigma"], border=parameters["border"])
        darkened = attenuate(blurred, transmission + blurred, parameters["factor"])
        mixed = (transmission + darkened).clamp(0, 1)
        return Mixture(input=mixed, transmission=transmission, reflection=darkened, parameters=parameters)


ENTRY = Entry(build=Subtractive, source="Fan et al., ICCV 2017, arXiv:1708.03474")
