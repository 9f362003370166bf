"""Back light: a source near the frame scatters in the lens and lays a smooth glow over the picture."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range


@dataclass(frozen=True, kw_only=True)
class BackLight:
    """y = clip(x + s·c/(1 + (r/ρ)²)) in linear light, r the distance from the source in halves of the longer side.

    ``strength``: range of s; ``spread``: range of ρ; the colour c is warm. The source may lie outside the photo.
    Source: veiling glare falls off about as the square of the distance; own combination.
    """

    strength: tuple[float, float] = (0.1, 1.0)
    spread: tuple[float, float] = (0.2, 1.0)

    def __post_init__(self) -> None:
        check_range("back_light.strength", self.strength)
        check_range("back_light.spread", self.spread, low=0.01)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the source; the size of the photo plays no part."""
        warmth = generator.uniform(0, 0.4)
        return {
            "strength": float(generator.uniform(*self.strength)),
            "spread": float(generator.uniform(*self.spread)),
            "place": generator.uniform(-1.3, 1.3, 2).tolist(),
            "colour": [1.0, float(1 - warmth / 2), float(1 - warmth)],
        }

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Light a (3, H, W) photo, 0…1, encoded, from behind; raises ShapeError for another shape."""
        check_photo(image)
        height, width = image.shape[1:]
        half = max(height, width) / 2
        down = torch.linspace(-height, height, height)[:, None] / (2 * half) - parameters["place"][0]
        right = torch.linspace(-width, width, width)[None, :] / (2 * half) - parameters["place"][1]
        glow = parameters["strength"] / (1 + (down**2 + right**2) / parameters["spread"] ** 2)
        colour = torch.tensor(parameters["colour"], dtype=image.dtype)[:, None, None]
        return Degraded(image=to_encoded((to_linear(image) + glow * colour).clamp(0, 1)), target=image, parameters=parameters)


ENTRY = Entry(build=BackLight, source="veiling glare of a lens; own combination")
