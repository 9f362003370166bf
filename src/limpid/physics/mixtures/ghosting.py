"""Ghosting cues: a thick or double pane mirrors the same scene twice, the second time shifted and weaker."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.formation import Mixture, Parameters, check_layers, check_range
from limpid.physics.pane import shift


@dataclass(frozen=True, kw_only=True)
class Ghosting:
    """I = δ·T + (1 − δ)·(R(x) + c·R(x − d))/(1 + c), on encoded values; without a δ, I = clip(T + R(x) + c·R(x − d)).

    ``transmission_shares``: values of δ, one of them drawn (0.3 and 0.5 in jsong233's code; empty gives Shih's sum);
    ``attenuation``: range of c; ``distance``: range of |d|, pixels, in any direction. The last two are found from the photo
    by the published methods, so their ranges here are our own: what Fresnel leaves of a second surface is 0.8 to 0.92, what
    tinted panes leave is less. The transmission returned is T, the reflection as it appears.
    Source: Shih et al., CVPR 2015; Huang et al., IEEE TCI 2019; jsong233/reflection_removal.
    """

    transmission_shares: tuple[float, ...] = (0.3, 0.5)
    attenuation: tuple[float, float] = (0.4, 0.92)
    distance: tuple[float, float] = (3.0, 15.0)

    def __post_init__(self) -> None:
        for share in self.transmission_shares:
            check_range("ghosting.transmission_shares", (share, share), high=1.0)
        check_range("ghosting.attenuation", self.attenuation, high=1.0)
        check_range("ghosting.distance", self.distance)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the two pulses and the balance; the size of the photo plays no part."""
        return {
            "share": float(generator.choice(self.transmission_shares)) if self.transmission_shares else None,
            "attenuation": float(generator.uniform(*self.attenuation)),
            "distance": float(generator.uniform(*self.distance)),
            "direction": float(generator.uniform(0.0, 360.0)),
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        ghost = shift(reflection, parameters["distance"], parameters["direction"])
        second = parameters["attenuation"]
        behind, doubled, share = transmission, reflection + second * ghost, parameters["share"]
        if share is not None:
            behind, doubled = share * transmission, (1 - share) / (1 + second) * doubled
        mixed = (behind + doubled).clamp(0, 1)
        return Mixture(input=mixed, transmission=transmission, reflection=doubled.clamp(0, 1), parameters=parameters)


ENTRY = Entry(build=Ghosting, source="Shih et al., CVPR 2015; Huang et al., IEEE TCI 2019; jsong233/reflection_removal")
