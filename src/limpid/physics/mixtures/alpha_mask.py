"""Per-pixel weights: glass that shows the scene behind it here and the mirrored one there."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.blur import Border, gaussian_blur
from limpid.physics.formation import Mixture, Parameters, check_kernel, check_layers, check_range, check_share
from limpid.physics.pane import draw_illumination, illumination


@dataclass(frozen=True, kw_only=True)
class AlphaMask:
    """I = W∘T + (1 − W)∘(G∗R) (RmNet), or I = clip(W∘T + G∗R) without ``complement`` (location-aware), on encoded values.

    W: a smooth field within ``mask`` with probability ``uneven``, else one number of that range for the whole photo
    (GenSIRR); the Gaussian as in ``Subtractive``. The published networks predict W, so the law of W here is our own.
    The transmission returned is T, the reflection (1 − W)∘(G∗R) or G∗R. Source: Wen et al., CVPR 2019 (RmNet);
    Dong et al., ICCV 2021, arXiv:2012.07131 (location-aware).
    """

    mask: tuple[float, float] = (0.3, 0.95)
    uneven: float = 0.8
    complement: bool = True
    kernel: int = 11
    sigma: tuple[float, float] = (2.0, 5.0)
    border: Border = "reflect"

    def __post_init__(self) -> None:
        check_range("alpha_mask.mask", self.mask, high=1.0)
        check_share("alpha_mask.uneven", self.uneven)
        check_kernel("alpha_mask.kernel", self.kernel)
        check_range("alpha_mask.sigma", self.sigma, low=0.01)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the weights and the blur; the size of the photo plays no part."""
        mask = draw_illumination(generator) if generator.random() < self.uneven else None
        even = float(generator.uniform(*self.mask))
        return {
            "mask": mask,
            "weight": [even, even] if mask is None else list(self.mask),
            "complement": self.complement,
            "kernel": self.kernel,
            "sigma": float(generator.uniform(*self.sigma)),
            "border": self.border,
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        weight = weights(parameters, transmission)
        mirrored = gaussian_blur(reflection, parameters["kernel"], parameters["sigma"], border=parameters["border"])
        if parameters["complement"]:
            mirrored = (1 - weight) * mirrored
        mixed = (weight * transmission + mirrored).clamp(0, 1)
        return Mixture(input=mixed, transmission=transmission, reflection=mirrored.clamp(0, 1), parameters=parameters)


def weights(parameters: Parameters, like: Tensor) -> Tensor:
    """The field W that ``parameters`` describe, 0…1, (1, H, W) for a photo like ``like``."""
    low, high = parameters["weight"]
    if parameters["mask"] is None:
        return torch.full_like(like[:1], low)
    return illumination(parameters["mask"], like).mul(high - low).add(low)


ENTRY = Entry(build=AlphaMask, source="Wen et al., CVPR 2019 (RmNet); Dong et al., ICCV 2021, arXiv:2012.07131")
