"""A pane of glass from first principles: linear light, Fresnel, two surfaces, defocus, uneven light, exposure, clipping."""

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.blur import gaussian_blur
from limpid.physics.formation import Mixture, Parameters, check_layers, check_range, check_share
from limpid.physics.light import ghost_shift, pane_reflectances
from limpid.physics.pane import draw_illumination, illumination, shift


@dataclass(frozen=True, kw_only=True)
class Glass:
    """i = clip(2^e·(t + g·m·(F·r̃ + (1 − F)²·F·r̃(x − d)))) in linear light, encoded by sRGB afterwards.

    r̃: defocused reflected scene; F: Fresnel reflectance of one surface at the angle of incidence; d: shift of the second
    surface's ghost; m: smooth mask 0…1 of how the reflected scene is lit; g: how much brighter that scene is than the one
    behind the glass; e: exposure beyond the one that makes up for what the pane takes from t. Both layers are returned as
    they appear at that exposure, the reflection as the pane would show it before darkness.
    ``angle``: degrees; ``thickness``: of the pane, pixels on the photo; ``defocus``: sigma in pixels; ``brightness``:
    logarithm-uniform range of g; ``uneven``: probability of a mask; ``exposure``: range of e, stops.
    Source: Fresnel's equations and the ghost geometry of Shih et al., CVPR 2015; own combination.
    """

    angle: tuple[float, float] = (0.0, 65.0)
    thickness: tuple[float, float] = (0.0, 8.0)
    defocus: tuple[float, float] = (0.3, 5.0)
    brightness: tuple[float, float] = (2.0, 24.0)
    uneven: float = 0.6
    exposure: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        check_range("glass.angle", self.angle, high=90.0)
        check_range("glass.thickness", self.thickness)
        check_range("glass.defocus", self.defocus, low=0.01)
        check_range("glass.brightness", self.brightness, low=1e-6)
        check_share("glass.uneven", self.uneven)
        check_range("glass.exposure", self.exposure, low=-16.0, high=16.0)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw geometry and light; the size of the photo plays no part."""
        low, high = np.log(self.brightness)
        mask = draw_illumination(generator) if generator.random() < self.uneven else None
        return {
            "angle": float(generator.uniform(*self.angle)),
            "thickness": float(generator.uniform(*self.thickness)),
            "direction": float(generator.uniform(0.0, 360.0)),
            "defocus": float(generator.uniform(*self.defocus)),
            "brightness": float(np.exp(generator.uniform(low, high))),
            "mask": mask,
            "exposure": float(generator.uniform(*self.exposure)),
        }

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        check_layers(transmission, reflection)
        incidence = math.radians(parameters["angle"])
        front, back = pane_reflectances(incidence)
        kernel = 2 * math.ceil(2.5 * parameters["defocus"]) + 1
        scene = gaussian_blur(to_linear(reflection), kernel, parameters["defocus"], border="reflect")
        ghost = shift(scene, ghost_shift(parameters["thickness"], incidence), parameters["direction"])
        mirrored = parameters["brightness"] * (front * scene + back * ghost)
        if parameters["mask"] is not None:
            mirrored = mirrored * illumination(parameters["mask"], transmission)
        behind, seen = to_linear(transmission), transmission
        if parameters["exposure"]:
            gain = 2 ** parameters["exposure"]
            behind, mirrored = gain * behind, gain * mirrored
            seen = to_encoded(behind.clamp(0, 1))
        mixed = to_encoded((behind + mirrored).clamp(0, 1))
        alone = to_encoded(mirrored.clamp(0, 1))  # what the camera would see before darkness
        return Mixture(input=mixed, transmission=seen, reflection=alone, parameters=parameters)


ENTRY = Entry(build=Glass, source="Fresnel's equations; Shih et al., CVPR 2015 (ghosts); own combination")
