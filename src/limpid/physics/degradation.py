"""How a good photo becomes a poor one: the contract that every file of ``degradations/`` keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from limpid.errors import ShapeError
from limpid.physics.formation import Parameters

SEEDS = 2**53
"""Below it every whole number is exact in JSON; a noise field or a kernel is stored as such a number."""


@dataclass(frozen=True, kw_only=True)
class Degraded:
    """A degraded photo and what a network should make of it.

    ``image``, ``target``: (3, H, W), float32, sRGB-encoded, of one size (unless a setting asks for a smaller image). The image
    shares no memory with the input and is neither clipped nor quantised, unless its degradation is just that. The target is
    the input, cropped where the image is. ``parameters``: what was drawn; applied again they give the same bytes.
    """

    image: Tensor
    target: Tensor
    parameters: Parameters


class Degradation(Protocol):
    """A degradation: settings in the constructor, parameters drawn apart from applied."""

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the parameters of one photo of ``size`` (height, width): plain data that JSON keeps exactly."""

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Degrade a (3, H, W) photo, 0…1, encoded, which stays as it is. Pure; raises ShapeError for another shape."""


def check_photo(image: Tensor) -> None:
    """Raise ShapeError unless ``image`` is (3, H, W)."""
    if image.ndim != 3 or image.shape[0] != 3:
        raise ShapeError(f"a photo to degrade must be (3, H, W); got {tuple(image.shape)}")


def new_seed(generator: np.random.Generator) -> int:
    """A seed for what is too large to be stored as parameters: a noise field, a kernel."""
    return int(generator.integers(SEEDS))


def degrade(image: Tensor, steps: Sequence[tuple[Degradation, Parameters]]) -> Degraded:
    """Apply several degradations in their order, e.g. blur, then noise; the target is cropped as the image was.

    Each step crops its rim evenly or not at all. ``parameters`` of the result: {"steps": those of each step}.
    """
    degraded, target = image.clone(), image
    for degradation, parameters in steps:
        step = degradation.apply(degraded, parameters)
        down, across = (before - after for before, after in zip(target.shape[1:], step.target.shape[1:], strict=True))
        target = target[:, down // 2 : target.shape[1] - down // 2, across // 2 : target.shape[2] - across // 2]
        degraded = step.image
    return Degraded(image=degraded, target=target, parameters={"steps": [dict(parameters) for _, parameters in steps]})
