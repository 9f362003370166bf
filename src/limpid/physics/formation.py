"""How two layers become one photo: the contract that every file of ``mixtures/`` keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from limpid.errors import SettingError, ShapeError

Parameters = Mapping[str, Any]
"""What was drawn, as plain data (numbers, strings, lists): it can be stored as JSON and replayed."""

GAMMA = 2.2
"""Exponent by which the field approximates the sRGB transfer (Zhang et al., CVPR 2018)."""


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A synthetic photo through glass.

    ``input``, ``transmission``, ``reflection``: (3, H, W), 0…1, sRGB-encoded; the reflection as it appears in the input
    (unless a setting asks for the target of some published code, which may leave the range).
    ``parameters``: what was drawn; applied again to the same layers it gives the same bytes. ``gain``: what the law multiplies
    the transmission by in linear light, 1 where it does not.
    """

    input: Tensor
    transmission: Tensor
    reflection: Tensor
    parameters: Parameters
    gain: float = 1.0


class Formation(Protocol):
    """A formation model: settings in the constructor, parameters drawn apart from applied."""

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the parameters of one photo of ``size`` (height, width)."""

    def apply(self, transmission: Tensor, reflection: Tensor, parameters: Parameters) -> Mixture:
        """Mix two (3, H, W) layers, 0…1, sRGB-encoded. Pure; raises ShapeError when they differ in shape."""


def check_layers(transmission: Tensor, reflection: Tensor) -> None:
    """Raise ShapeError unless both layers are (3, H, W) and equal in size."""
    if transmission.shape != reflection.shape or transmission.ndim != 3 or transmission.shape[0] != 3:
        raise ShapeError(f"layers to mix must both be (3, H, W); got {tuple(transmission.shape)} and {tuple(reflection.shape)}")


def check_range(name: str, limits: tuple[float, float], low: float = 0.0, high: float = float("inf")) -> None:
    """Raise SettingError unless ``limits`` rises (or is constant) within ``low``…``high``."""
    if not low <= limits[0] <= limits[1] <= high:
        raise SettingError(f"{name} must rise within {low:g}…{high:g}; got {limits}")


def check_share(name: str, share: float) -> None:
    """Raise SettingError unless ``share`` is a probability."""
    if not 0 <= share <= 1:
        raise SettingError(f"{name} is a probability, 0…1; got {share}")


def check_kernel(name: str, size: int) -> None:
    """Raise SettingError unless ``size`` is an odd number of pixels."""
    if size < 1 or size % 2 == 0:
        raise SettingError(f"{name} must be an odd number of pixels; got {size}")


def attenuate(reflection: Tensor, total: Tensor, factor: float, *, per_channel: bool = False) -> Tensor:
    """Darken a reflection by the overflow of the sum: clip(R − factor·(m − 1), 0, 1), m the mean of ``total`` above 1.

    Without any value above 1 the overflow is 0. Over all channels together (Fan et al., ICCV 2017) or ``per_channel``
    (Zhang et al., CVPR 2018). Shapes (3, H, W).
    """
    over = total > 1
    dims = (1, 2) if per_channel else (0, 1, 2)
    count = over.sum(dims, keepdim=True).clamp(min=1)
    overflow = torch.where(over, total - 1, 0).sum(dims, keepdim=True) / count
    return (reflection - factor * overflow).clamp(0, 1)
