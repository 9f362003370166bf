"""Fog and haze: what is far away fades into the colour of the air."""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range
from limpid.physics.pane import draw_illumination, illumination


@dataclass(frozen=True, kw_only=True)
class Fog:
    """y = x·e^(−β·d) + A·(1 − e^(−β·d)) in linear light: air of colour A and density β over a distance d, 0…1.

    The distance grows across the photo towards a drawn direction, or in smooth random patches. ``density``: range of β;
    ``air``: range of the brightness of A, encoded; its colour is nearly grey. Source: Koschmieder, 1924.
    """

    density: tuple[float, float] = (0.2, 2.5)
    air: tuple[float, float] = (0.5, 1.0)

    def __post_init__(self) -> None:
        check_range("fog.density", self.density)
        check_range("fog.air", self.air, high=1.0)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the air and how far away things are; the size of the photo plays no part."""
        grey = generator.uniform(*self.air)
        patches = draw_illumination(generator) if generator.random() < 0.3 else None
        return {
            "density": float(generator.uniform(*self.density)),
            "air": np.clip(grey + generator.normal(0, 0.03, 3), 0, 1).tolist(),
            "patches": patches,
            "angle": float(generator.normal(-90, 30)),  # upwards, as the horizon lies above the ground
            "nearest": float(generator.uniform(0, 0.5)),
        }

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """See a (3, H, W) photo, 0…1, encoded, through air; raises ShapeError for another shape."""
        check_photo(image)
        if parameters["patches"] is not None:
            distance = illumination(parameters["patches"], image)
        else:
            height, width = image.shape[1:]
            turn = radians(parameters["angle"])
            slope = torch.linspace(-0.5, 0.5, width)[None, :] * cos(turn) + torch.linspace(-0.5, 0.5, height)[:, None] * sin(turn)
            distance = (slope + 0.5).clamp(0, 1)[None]
        distance = parameters["nearest"] + (1 - parameters["nearest"]) * distance
        clear = torch.exp(-parameters["density"] * distance)
        air = to_linear(torch.tensor(parameters["air"], dtype=image.dtype))[:, None, None]
        return Degraded(image=to_encoded(torch.lerp(air, to_linear(image), clear)), target=image, parameters=parameters)


ENTRY = Entry(build=Fog, source="Koschmieder, 1924: light scattered into the line of sight")
