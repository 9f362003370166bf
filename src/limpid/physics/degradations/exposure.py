"""Wrong exposure: light is scaled, and what exceeds the sensor is lost."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """y = encode(clip(2^e·x − b)/(1 − b)), x in linear light: e stops of exposure, highlights cut at 1, shadows below b at 0.

    ``stops``: range of e; ``black``: range of b, linear 0…1. Both drawn uniformly. Source: definition of the stop.
    """

    stops: tuple[float, float] = (-2.0, 2.0)
    black: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        check_range("exposure.stops", self.stops, low=-16.0, high=16.0)
        check_range("exposure.black", self.black, high=0.99)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw exposure and black point; the size of the photo plays no part."""
        return {"stops": float(generator.uniform(*self.stops)), "black": float(generator.uniform(*self.black))}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Expose a (3, H, W) photo, 0…1, encoded; raises ShapeError for another shape."""
        check_photo(image)
        if parameters["stops"] == 0 and parameters["black"] == 0:
            return Degraded(image=image.clamp(0, 1), target=image, parameters=parameters)
        light = 2 ** parameters["stops"] * to_linear(image)
        exposed = ((light - parameters["black"]) / (1 - parameters["black"])).clamp(0, 1)
        return Degraded(image=to_encoded(exposed), target=image, parameters=parameters)


ENTRY = Entry(build=Exposure, source="one stop doubles the light; clipping at the sensor's white and black")
