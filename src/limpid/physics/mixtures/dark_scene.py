"""YTMT's dark scenes: hardly anything behind the glass, so that a network sees what a lone reflection looks like."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.blur import Border, gaussian_blur
from limpid.physics.formation import Mixture, Parameters, check_kernel, check_layers, check_range, check_share


@dataclass(frozen=True, kw_only=True)
class DarkScene:
    """I = clip(t + r): t one flat colour in place of T, r = clip(b·clip(G∗R − factor·mean(G∗R))), on encoded values.

    ``grey_share``: probability of a grey, uniform within ``grey``, else each channel normal with the mean and standard
    deviation of ``colour``, clipped to 0…255 (all on the 0–255 scale); ``gain``: range of b; the Gaussian as in
    ``Subtractive``. The transmission returned is t. Source: Hu & Guo, NeurIPS 2021, arXiv:2110.10546 (YTMT), their code.
    """

    grey_share: float = 0.4
    grey: tuple[float, float] = (0.0, 30.0)
    colour: tuple[float, float] = (50.0, 50.0)
    gain: tuple[float, float] = (0.4, 1.8)
    kernel: int = 11
    sigma: tuple[float, float] = (2.0, 5.0)
    factor: float = 1.3
    border: Border = "constant"

    def __post_init__(self) -> None:
        check_share("dark_scene.grey_share", self.grey_share)
        check_range("dark_scene.grey", self.grey, high=255.0)
        check_range("dark_scene.gain", self.gain)
        check_kernel("dark_scene.kernel", self.kernel)
        check_range("dark_scene.sigma", self.sigma, low=0.01)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the flat colour, the blur and the gain; the size of the photo plays no part."""
        if generator.random() < self.grey_share:
            colour = [float(generator.uniform(*self.grey)) / 255] * 3
        else:
            colour = (generator.normal(*self.colour, size=3).clip(0, 255) / 255).tolist()
        return {
            "colour": colour,
            "kernel": self.kernel,
            "sigma": float(generator.uniform(*self.sigma)),
            "gain": float(generator.uniform(*self.gain)),
            "factor": self.factor,
            "border": self.border,
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix a (3, H, W) reflection, 0…1, encoded, with the flat colour; of ``transmission`` only the shape counts.

        Raises ShapeError when the layers differ in shape.
        """
        check_layers(transmission, reflection)
        flat = torch.tensor(parameters["colour"]).to(transmission).view(3, 1, 1).expand_as(transmission).contiguous()
        blurred = gaussian_blur(reflection, parameters["kernel"], parameters["sigma"], border=parameters["border"])
        darkened = (blurred - parameters["factor"] * blurred.mean()).clamp(0, 1)
        mirrored = (parameters["gain"] * darkened).clamp(0, 1)
        return Mixture(input=(flat + mirrored).clamp(0, 1), transmission=flat, reflection=mirrored, parameters=parameters)


ENTRY = Entry(build=DarkScene, source="Hu & Guo, NeurIPS 2021, arXiv:2110.10546 (YTMT), class 0 of their data set")
