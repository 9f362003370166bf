"""The screen formation of DSRNet, DSIT and RDNet: layers brighten each other without ever passing white."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.physics.blur import Border, gaussian_blur
from limpid.physics.formation import Mixture, Parameters, attenuate, check_kernel, check_layers, check_range, check_share


@dataclass(frozen=True, kw_only=True)
class Screen:
    """I = t + r − t·r with t = a·T, r = b·(G∗R), on encoded values; else t + r with the subtractive darkening.

    ``kernels``/``kernel_weights``: odd Gaussian sizes in pixels and their probabilities; ``sigma``: standard deviation in
    pixels; ``transmission_gain`` a and ``reflection_gain`` b, drawn uniformly; ``share``: probability of the screen (DSIT
    uses 1); ``border``: what lies outside the reflection, ``constant`` (black, as published) or ``reflect``. The target is
    the unscaled T, so that a network also learns to undo a. ``returned``: the reflection as ``shown`` in the input (r),
    ``blurred`` alone (G∗R, the target of DSRNet's code) or the ``difference`` I − T, which can be negative.
    Source: Hu & Guo, ICCV 2023, arXiv:2308.10027 (DSRNet), constants of their code.
    """

    kernels: tuple[int, ...] = (5, 7, 9, 11)
    kernel_weights: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)
    sigma: tuple[float, float] = (2.0, 5.0)
    transmission_gain: tuple[float, float] = (0.8, 1.0)
    reflection_gain: tuple[float, float] = (0.4, 1.0)
    share: float = 0.7
    factor: float = 1.3
    border: Border = "constant"
    returned: Literal["shown", "blurred", "difference"] = "shown"

    def __post_init__(self) -> None:
        check_sizes("screen", self.kernels, self.kernel_weights)
        check_range("screen.sigma", self.sigma, low=0.01)
        check_range("screen.transmission_gain", self.transmission_gain, high=1.0)
        check_range("screen.reflection_gain", self.reflection_gain, high=1.0)
        check_share("screen.share", self.share)

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
            "returned": self.returned,
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        behind = parameters["transmission_gain"] * transmission
        blurred = gaussian_blur(reflection, parameters["kernel"], parameters["sigma"], border=parameters["border"])
        mirrored = parameters["reflection_gain"] * blurred
        mixed, mirrored = blend(behind, mirrored, screen=parameters["screen"], factor=parameters["factor"])
        shown = {"shown": mirrored, "blurred": blurred, "difference": mixed - transmission}[parameters["returned"]]
        return Mixture(input=mixed, transmission=transmission, reflection=shown, parameters=parameters)


def blend(behind: Tensor, mirrored: Tensor, *, screen: bool, factor: float) -> tuple[Tensor, Tensor]:
    """Mix two scaled layers (3, H, W) by the screen t + r − t·r, else by t + r with the subtractive darkening of r.

    Returns the mixture and r as it appears in it.
    """
    if screen:
        return behind + mirrored - behind * mirrored, mirrored
    darkened = attenuate(mirrored, behind + mirrored, factor)
    return (behind + darkened).clamp(0, 1), darkened


def check_sizes(name: str, kernels: tuple[int, ...], weights: tuple[float, ...]) -> None:
    """Raise SettingError unless the kernel sizes are odd and each has a weight, all weights summing to 1."""
    for size in kernels:
        check_kernel(f"{name}.kernels", size)
    if len(kernels) != len(weights) or min(weights, default=0) < 0 or abs(sum(weights) - 1) > 1e-6:
        raise SettingError(f"{name}.kernel_weights must give each of {kernels} a share, summing to 1; got {weights}")


ENTRY = Entry(build=Screen, source="Hu & Guo, ICCV 2023, arXiv:2308.10027; Hu et al., NeurIPS 2024 (DSIT)")
