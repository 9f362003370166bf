"""RRW's formation: the subtractive one, at times seen through an even veil of haze, with the mask of where it reflects."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.formation import Mixture, Parameters, check_range, check_share
from limpid.physics.mixtures.subtractive import Subtractive

_DEPTH = 10.0  # distance to the scene, in the unit of 1/density


@dataclass(frozen=True, kw_only=True)
class HazeVeil(Subtractive):
    """I = clip(T + R̃ + A·exp(−10·β)), R̃ as in ``Subtractive``, the veil with probability ``share``, on encoded values.

    ``airlight``: range of A, ``density``: range of β (0.06 is the upper end of the class default in their code, 0.12 that
    of their data set). The veil belongs to neither layer. Source: Zhu et al., CVPR 2024, arXiv:2311.17320 (RRW).
    """

    share: float = 0.5
    airlight: tuple[float, float] = (0.02, 0.06)
    density: tuple[float, float] = (0.02, 0.12)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("haze_veil.share", self.share)
        check_range("haze_veil.airlight", self.airlight, high=1.0)
        check_range("haze_veil.density", self.density)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the blur and the veil; the size of the photo plays no part."""
        blur = super().draw(generator, size)
        airlight, density = float(generator.uniform(*self.airlight)), float(generator.uniform(*self.density))
        return {**blur, "veil": bool(generator.random() < self.share), "airlight": airlight, "density": density}

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, encoded; raises ShapeError when they differ in shape."""
        clear = super().apply(transmission, reflection, parameters)
        veil = parameters["airlight"] * exp(-_DEPTH * parameters["density"]) if parameters["veil"] else 0.0
        mixed = (clear.input + veil).clamp(0, 1)
        return Mixture(input=mixed, transmission=transmission, reflection=clear.reflection, parameters=parameters)


def reflection_mask(mixture: Mixture, threshold: float | None = None) -> Tensor:
    """Where a mixture reflects: |T − I| above the threshold in any channel; (1, H, W), bool.

    ``threshold``: 0…1, 0.1 in some of RRW's code; None finds it by Otsu's method over all values (RRW's default).
    """
    difference = (mixture.transmission - mixture.input).abs()
    limit = _otsu(difference) if threshold is None else threshold
    return torch.any(difference > limit, dim=0, keepdim=True)


def _otsu(values: Tensor) -> float:
    from skimage import filters  # takes a second to import, and only the mask needs it

    find: Callable[[np.ndarray], float] = filters.threshold_otsu
    return float(find(values.numpy()))


ENTRY = Entry(build=HazeVeil, source="Zhu et al., CVPR 2024, arXiv:2311.17320 (RRW)")
