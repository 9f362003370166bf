"""A lens wide open: the background becomes disks of light, a subject perhaps stays sharp."""

from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.blur import disk_blur
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range
from limpid.physics.pane import draw_illumination, illumination

Focus = Literal["all", "subject", "region", "distance"]

_FOCI: tuple[Focus, ...] = ("all", "subject", "region", "distance")
_HIGHLIGHT = 0.6
"""Linear light above which a place counts as a lamp, brighter than the photo could hold."""


@dataclass(frozen=True, kw_only=True)
class DepthOfField:
    """y = m·x + (1 − m)·D(b)/D(1 − m), b = (1 − m)·x with its highlights restored and lamps added, D a disk blur, in linear light.

    m: what is in focus: nothing (``all``), an ellipse (``subject``), a smooth random region (``region``) or what lies on one
    side of a slanting line, growing softer beyond it (``distance``). Dividing by D(1 − m) keeps the subject's light out of its
    surroundings, as no lens mixes what is in front into what is behind.
    ``radius``: of the disks, pixels, logarithm-uniform; ``boost``: range of the factor by which highlights exceed the photo's
    white; ``lamps``: largest number of points of light added behind. Source: geometric optics; own combination.
    """

    radius: tuple[float, float] = (2.0, 12.0)
    boost: tuple[float, float] = (1.0, 6.0)
    lamps: int = 12
    foci: tuple[Focus, ...] = _FOCI

    def __post_init__(self) -> None:
        check_range("depth_of_field.radius", self.radius, low=0.5)
        check_range("depth_of_field.boost", self.boost, low=1.0)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the lens, what is in focus and the lamps; places are shares of the photo's sides."""
        low, high = np.log(self.radius)
        count = int(generator.integers(self.lamps + 1)) if generator.random() < 0.5 else 0
        return {
            "radius": float(np.exp(generator.uniform(low, high))),
            "boost": float(generator.uniform(*self.boost)),
            "focus": _draw_focus(self.foci[generator.integers(len(self.foci))], generator),
            "lamps": [_draw_lamp(generator) for _ in range(count)],
        }

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Photograph a (3, H, W) photo, 0…1, encoded, once more; raises ShapeError for another shape."""
        check_photo(image)
        light = to_linear(image)
        sharp = _in_focus(parameters["focus"], image)
        behind = light * (1 + (parameters["boost"] - 1) * ((light.mean(0) - _HIGHLIGHT) / (1 - _HIGHLIGHT)).clamp(0, 1))
        for lamp in parameters["lamps"]:
            _add_lamp(behind, lamp, parameters["radius"])
        stacked = disk_blur(torch.cat([behind * (1 - sharp), 1 - sharp]), parameters["radius"])
        soft = stacked[:3] / stacked[3:].clamp(min=1e-3)
        blurred = torch.lerp(soft, light, sharp).clamp(0, 1)
        return Degraded(image=to_encoded(blurred), target=image, parameters=parameters)


def _draw_focus(kind: Focus, generator: np.random.Generator) -> dict[str, Any]:
    if kind == "subject":
        centre, axes = generator.uniform(0.2, 0.8, 2).tolist(), generator.uniform(0.12, 0.4, 2).tolist()
        return {"kind": kind, "centre": centre, "axes": axes, "angle": float(generator.uniform(0, 180))}
    if kind == "region":
        return {"kind": kind, "mask": draw_illumination(generator)}
    if kind == "distance":
        return {"kind": kind, "angle": float(generator.uniform(0, 360)), "offset": float(generator.uniform(-0.4, 0.4))}
    return {"kind": kind}


def _in_focus(focus: Parameters, like: Tensor) -> Tensor:
    """Share of each pixel that is in focus, (1, H, W)."""
    height, width = like.shape[1:]
    if focus["kind"] == "all":
        return torch.zeros(1, height, width)
    if focus["kind"] == "region":
        return illumination(focus["mask"], like)
    down, right = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)[None, :]
    turn = radians(focus["angle"])
    if focus["kind"] == "distance":
        far = (right - 0.5) * cos(turn) + (down - 0.5) * sin(turn) - focus["offset"]
        return torch.sigmoid(-12 * far)[None]
    down, right = down - focus["centre"][0], right - focus["centre"][1]
    along, across = right * cos(turn) + down * sin(turn), down * cos(turn) - right * sin(turn)
    distance = torch.hypot(along / focus["axes"][0], across / focus["axes"][1])
    return torch.sigmoid(40 * (1 - distance))[None]  # an edge of a few pixels


def _draw_lamp(generator: np.random.Generator) -> dict[str, Any]:
    warm = generator.dirichlet((2.0, 2.0, 2.0)) * 3
    strength = float(np.exp(generator.uniform(np.log(0.2), np.log(2.0))))
    return {"place": generator.random(2).tolist(), "light": (strength * warm).tolist()}


def _add_lamp(light: Tensor, lamp: Parameters, radius: float) -> None:
    """A point whose disk will be as bright as ``lamp["light"]``, added in place."""
    row, column = (min(int(share * side), side - 1) for share, side in zip(lamp["place"], light.shape[1:], strict=True))
    light[:, row, column] += torch.tensor(lamp["light"]) * torch.pi * radius**2


ENTRY = Entry(build=DepthOfField, source="geometric optics: a point out of focus becomes a disk; own combination")
