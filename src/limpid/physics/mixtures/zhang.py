"""Zhang 2018's formation: layers add in linear light, the reflection fades towards the rim."""

from dataclasses import dataclass
from functools import lru_cache
from math import erf, sqrt
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.blur import gaussian_blur
from limpid.physics.formation import GAMMA, Mixture, Parameters, attenuate, check_layers, check_range

_MASK_SIDE = 560  # pixels of the published vignette
_MARGIN = 10  # pixels that its crop leaves free


@dataclass(frozen=True, kw_only=True)
class Zhang:
    """i = α₁·r̃ + α₂·t with t = T^2.2, r̃ the blurred, darkened R^2.2, α₁ a vignette; clipped, then ^(1/2.2).

    ``sigma``: blur in pixels, from 80 even steps, kernel 2⌈2σ⌉ + 1; ``attenuation``: factor of the per-channel darkening;
    ``transmission_loss``: 1 − α₂. The vignette is enlarged when the photo does not fit into it (as PINTO0309 does).
    The transmission returned is T; the reflection as ``shown``, (α₁·r̃)^(1/2.2), or the ``difference`` (i − α₂·t)^(1/2.2), which
    is less where the photo clips. IBCLN: ``sigma=(2, 5), returned="difference"`` (their code starts σ at the batch size, 2).
    Source: Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376; constants of their code. IBCLN: Li et al., CVPR 2020, arXiv:1911.06634.
    """

    sigma: tuple[float, float] = (1.0, 5.0)
    attenuation: tuple[float, float] = (1.08, 1.18)
    transmission_loss: tuple[float, float] = (0.0, 0.2)
    returned: Literal["shown", "difference"] = "shown"

    def __post_init__(self) -> None:
        check_range("zhang.sigma", self.sigma, low=0.01)
        check_range("zhang.attenuation", self.attenuation)
        check_range("zhang.transmission_loss", self.transmission_loss, high=1.0)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw blur, darkening, transmission loss and the crop of the vignette for a photo of ``size``."""
        side = max(_MASK_SIDE, max(size) + _MARGIN + 1)
        return {
            "sigma": float(generator.choice(np.linspace(*self.sigma, 80))),
            "attenuation": float(generator.uniform(*self.attenuation)),
            "transmission_loss": float(generator.uniform(*self.transmission_loss)),
            "mask_side": side,
            "top": int(generator.integers(0, side - size[0] - _MARGIN)),
            "left": int(generator.integers(0, side - size[1] - _MARGIN)),
            "returned": self.returned,
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        transmission_linear = transmission**GAMMA
        kernel = 2 * int(np.ceil(2 * parameters["sigma"])) + 1
        blurred = gaussian_blur(reflection**GAMMA, kernel, parameters["sigma"], border="reflect")
        darkened = attenuate(blurred, transmission_linear + blurred, parameters["attenuation"], per_channel=True)
        height, width = transmission.shape[-2:]
        top, left = parameters["top"], parameters["left"]
        mask = vignette(parameters["mask_side"])[top : top + height, left : left + width].to(transmission)
        shown = mask * darkened
        gain = 1 - parameters["transmission_loss"]
        behind = gain * transmission_linear
        mixed = (shown + behind).clamp(0, 1)
        if parameters["returned"] == "difference":
            shown = (mixed - behind).clamp(0, 1)
        return Mixture(
            input=mixed ** (1 / GAMMA),
            transmission=transmission,
            reflection=shown ** (1 / GAMMA),
            parameters=parameters,
            gain=gain,
        )


@lru_cache(maxsize=4)
def vignette(side: int) -> Tensor:
    """Square root of the outer product of a normal density integrated over 560 bins, scaled to a maximum of 1.

    Shape (side, side), resized bilinearly from the published 560 when ``side`` differs; shared between calls, so not to be
    written to. Source: Zhang et al., CVPR 2018.
    """
    step = 7 / _MASK_SIDE
    edges = np.linspace(-3 - step / 2, 3 + step / 2, _MASK_SIDE + 1)
    profile = np.diff([0.5 * (1 + erf(edge / sqrt(2))) for edge in edges])
    mask = torch.from_numpy(np.sqrt(np.outer(profile, profile)))
    mask = (mask / mask.max()).float()
    if side == _MASK_SIDE:
        return mask
    return F.interpolate(mask[None, None], size=(side, side), mode="bilinear", align_corners=False)[0, 0]


ENTRY = Entry(build=Zhang, source="Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376")
