"""RDNet's formation as XReflection has it: the screen formation over a transmission whose channels are brightened."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.physics.blur import Border, gaussian_blur
from limpid.physics.formation import Mixture, Parameters, check_layers, check_range, check_share
from limpid.physics.mixtures.screen import blend, check_sizes

Truncated = tuple[float, float, float, float]
"""Mean, standard deviation, lowest and highest value of a truncated normal law."""


@dataclass(frozen=True, kw_only=True)
class ChannelGain:
    """I = clip(t + r − t·r), t = a_c·T per channel c, r = b·(G∗R), on encoded values; else t + r, darkened as in ``Screen``.

    ``red``, ``green``, ``blue``: the truncated normal law of a_c (mean, deviation, lowest, highest); b, the Gaussian and
    ``share`` as in ``Screen``. The transmission returned is t, since their code scales it in place, and ends at white;
    ``overflow`` keeps what exceeds it, as their code does. Source: XReflection's RDNet, Zhao et al., CVPR 2025,
    arXiv:2410.08063; nobody states where the constants of a_c come from.
    """

    red: Truncated = (1.109, 0.118, 0.82, 1.42)
    green: Truncated = (1.106, 0.115, 0.85, 1.35)
    blue: Truncated = (1.078, 0.116, 0.85, 1.31)
    kernels: tuple[int, ...] = (5, 7, 9, 11)
    kernel_weights: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)
    sigma: tuple[float, float] = (2.0, 5.0)
    reflection_gain: tuple[float, float] = (0.4, 1.0)
    share: float = 0.7
    factor: float = 1.3
    border: Border = "constant"
    overflow: bool = False

    def __post_init__(self) -> None:
        for name, (_, deviation, low, high) in self._laws().items():
            check_range(f"channel_gain.{name}", (low, high))
            if deviation <= 0:
                raise SettingError(f"channel_gain.{name} needs a standard deviation above 0; got {deviation}")
        check_sizes("channel_gain", self.kernels, self.kernel_weights)
        check_range("channel_gain.sigma", self.sigma, low=0.01)
        check_range("channel_gain.reflection_gain", self.reflection_gain, high=1.0)
        check_share("channel_gain.share", self.share)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw blur, gains and law; the size of the photo plays no part."""
        return {
            "kernel": int(generator.choice(self.kernels, p=self.kernel_weights)),
            "sigma": float(generator.uniform(*self.sigma)),
            "transmission_gains": [truncated_normal(generator, law) for law in self._laws().values()],
            "reflection_gain": float(generator.uniform(*self.reflection_gain)),
            "screen": bool(generator.random() < self.share),
            "factor": self.factor,
            "border": self.border,
            "overflow": self.overflow,
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        behind = torch.tensor(parameters["transmission_gains"]).to(transmission).view(3, 1, 1) * transmission
        blurred = gaussian_blur(reflection, parameters["kernel"], parameters["sigma"], border=parameters["border"])
        mirrored = parameters["reflection_gain"] * blurred
        mixed, mirrored = blend(behind, mirrored, screen=parameters["screen"], factor=parameters["factor"])
        shown = behind if parameters["overflow"] else behind.clamp(max=1)
        return Mixture(input=mixed.clamp(0, 1), transmission=shown, reflection=mirrored, parameters=parameters)

    def _laws(self) -> Mapping[str, Truncated]:
        return {"red": self.red, "green": self.green, "blue": self.blue}


def truncated_normal(generator: np.random.Generator, law: Truncated) -> float:
    """One number of a normal law (mean, standard deviation) that lies within (lowest, highest), by the inverse CDF."""
    mean, deviation, low, high = law
    normal = NormalDist(mean, deviation)
    return min(max(normal.inv_cdf(generator.uniform(normal.cdf(low), normal.cdf(high))), low), high)


ENTRY = Entry(build=ChannelGain, source="XReflection (RDNet); Zhao et al., CVPR 2025, arXiv:2410.08063")
