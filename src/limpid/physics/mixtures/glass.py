"""A pane of glass from first principles: linear light, Fresnel, two surfaces, defocus, uneven light, exposure, clipping."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.blur import gaussian_blur
from limpid.physics.formation import Mixture, Parameters, check_layers, check_range
from limpid.physics.light import fresnel, ghost_shift, to_encoded, to_linear

_GRID = 4  # cells per side of the illumination mask


@dataclass(frozen=True, kw_only=True)
class Glass:
    """i = clip(t + g·m·(F·r̃ + (1 − F)²·F·r̃(x − d))) in linear light, encoded by sRGB afterwards.

    r̃: defocused reflected scene; F: Fresnel reflectance of one surface at the angle of incidence; d: shift of the second
    surface's ghost; m: smooth mask 0…1 of how the reflected scene is lit; g: how much brighter that scene is than the one
    behind the glass. The exposure makes up for what the pane takes from t, so that t is the transmission as it appears.
    ``angle``: degrees; ``thickness``: of the pane, pixels on the photo; ``defocus``: sigma in pixels; ``brightness``:
    logarithm-uniform range of g; ``uneven``: probability of a mask. Returns as reflection what the pane would show before darkness.
    Source: Fresnel's equations and the ghost geometry of Shih et al., CVPR 2015; own combination.
    """

    angle: tuple[float, float] = (0.0, 65.0)
    thickness: tuple[float, float] = (0.0, 8.0)
    defocus: tuple[float, float] = (0.3, 5.0)
    brightness: tuple[float, float] = (2.0, 24.0)
    uneven: float = 0.6

    def __post_init__(self) -> None:
        check_range("glass.angle", self.angle, high=90.0)
        check_range("glass.thickness", self.thickness)
        check_range("glass.defocus", self.defocus, low=0.01)
        check_range("glass.brightness", self.brightness, low=1e-6)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw geometry and light; the size of the photo plays no part."""
        low, high = np.log(self.brightness)
        mask = generator.normal(0.0, 2.0, (_GRID, _GRID)) if generator.random() < self.uneven else None
        return {
            "angle": float(generator.uniform(*self.angle)),
            "thickness": float(generator.uniform(*self.thickness)),
            "direction": float(generator.uniform(0.0, 360.0)),
            "defocus": float(generator.uniform(*self.defocus)),
            "brightness": float(np.exp(generator.uniform(low, high))),
            "mask": None if mask is None else mask.round(4).tolist(),
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        incidence = math.radians(parameters["angle"])
        first = fresnel(incidence)
        kernel = 2 * math.ceil(2.5 * parameters["defocus"]) + 1
        scene = gaussian_blur(to_linear(reflection), kernel, parameters["defocus"], border="reflect")
        ghost = shift(scene, ghost_shift(parameters["thickness"], incidence), parameters["direction"])
        mirrored = parameters["brightness"] * (first * scene + (1 - first) ** 2 * first * ghost)
        if parameters["mask"] is not None:
            mirrored = mirrored * illumination(parameters["mask"], transmission)
        mixed = to_encoded((to_linear(transmission) + mirrored).clamp(0, 1))
        alone = to_encoded(mirrored.clamp(0, 1))  # what the camera would see before darkness
        return Mixture(input=mixed, transmission=transmission, reflection=alone, parameters=parameters)


def shift(image: Tensor, distance: float, direction: float) -> Tensor:
    """Move a (3, H, W) image by ``distance`` pixels towards ``direction`` degrees, bilinear, its rim repeated."""
    height, width = image.shape[-2:]
    right, down = distance * math.cos(math.radians(direction)), distance * math.sin(math.radians(direction))
    theta = torch.tensor([[[1.0, 0.0, -2 * right / width], [0.0, 1.0, -2 * down / height]]])
    grid = F.affine_grid(theta, [1, 3, height, width], align_corners=False)
    return F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0]


def illumination(mask: list[list[float]], like: Tensor) -> Tensor:
    """A smooth field 0…1 from a coarse grid of normal deviates: bicubic enlargement, then a logistic; (1, H, W)."""
    grid = torch.tensor(mask).to(like)[None, None]
    return torch.sigmoid(F.interpolate(grid, size=like.shape[-2:], mode="bicubic", align_corners=True))[0]


ENTRY = Entry(build=Glass, source="Fresnel's equations; Shih et al., CVPR 2015 (ghosts); own combination")
