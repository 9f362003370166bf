"""The screen formation of DSRNet, DSIT and RDNet: layers brighten each other without ever passing white."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.blur import gaussian_blur
from limpid.physics.formation import Mixture, Parameters, attenuate, check_layers, check_range


@dataclass(frozen=True, kw_only=True)
class Screen:
    """I = t + r − t·r with t = a·T, r = b·(G∗R), on encoded values; else t + r with the subtractive darkening.

    ``kernels``/``kernel_weights``: odd Gaussian sizes in pixels and their probabilities; ``sigma``: standard deviation in
    pixels; ``transmission_gain`` a and ``reflection_gain`` b, drawn uniformly; ``share``: probability of the screen (DSIT
    uses 1); ``border``: what lies outside the reflection, ``constant`` (black, as published) or ``reflect``. The target is the unscaled T, so that a network also learns to undo a; the reflection returned is r (DSRNet trains
    on I − T in its place, which any caller can take). Source: Hu & Guo, ICCV 2023, arXiv:2308.10027 (DSRNet), constants of their code.
    """

    kernels: tuple[int, ...] = (5, 7, 9, 11)
    kernel_weights: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)
    sigma: tuple[float, float] = (2.0, 5.0)
    transmission_gain: tuple[float, float] = (0.8, 1.0)
    reflection_gain: tuple[float, float] = (0.4, 1.0)
    share: float = 0.7
    factor: float = 1.3
    border: str = "constant"

    def __post_init__(self) -> None:
        check_range("screen.sigma", self.sigma, low=0.01)
        check_range("screen.transmission_gain", self.transmission_gain)
        check_range("screen.reflection_gain", self.reflection_gain)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw blur, gains and law; the size of the photo plays no part."""
        return {
            "kernel": int(generator.choice(self.kernels, p=self.kernel_weights)),
            "sigma": float(generator.uniform(*self.sigma)),
            "transmission_gain": float(generator.uniform(*self.transmission_gain)),
            "reflection_gain": float(generator.uniform(*self.reflection_gain)),
            "screen": bool(generator.random() < self.share),
            "factor": self.factor,
            "border": self.border,
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        behind = parameters["transmission_gain"] * transmission
        blurred = gaussian_blur(reflection, parameters["kernel"], parameters["sigma"], border=parameters["border"])
        mirrored = parameters["reflection_gain"] * blurred
        if parameters["screen"]:
            mixed = behind + mirrored - behind * mirrored
        else:
            mirrored = attenuate(mirrored, behind + mirrored, parameters["factor"])
            mixed = (behind + mirrored).clamp(0, 1)
        return Mixture(input=mixed, transmission=transmission, reflection=mirrored, parameters=parameters)


ENTRY = Entry(build=Screen, source="Hu & Guo, ICCV 2023, arXiv:2308.10027; Hu et al., NeurIPS 2024 (DSIT)")
