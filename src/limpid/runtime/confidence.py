"""Do no harm: small changes are taken back where they are, and all of them when the whole photo hardly shows a reflection.

A network that takes reflections off clean photos as well changes them a little, here and there; behind real glass it changes
much of the photo. How much it changes is therefore how sure one can be that there is something to remove.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from limpid.image.size import local_mean
from limpid.layers.network import Limits

PREVIEW_SIDE = 640
"""Longest side in pixels at which a photo is looked at to see whether there is anything to remove."""

LEAST_JUDGED = 32
"""Smallest side in pixels of what a gate is shown; the rim of smaller photos is repeated."""

WINDOW = 31
"""Side in pixels of the square over which a change is averaged before it is judged small, odd."""


def smoothstep(change: Tensor, limits: Limits) -> Tensor:
    """0 up to the first limit, 1 from the second one on, 3t² − 2t³ between them; any shape."""
    low, high = limits
    t = ((change - low) / (high - low)).clamp(0, 1)
    return t.square() * (3 - 2 * t)


def confidence_map(photo: Tensor, primary: Tensor, limits: Limits) -> Tensor:
    """How far each pixel's change is believed, by the mean of |I − T| over bands and a window around it.

    ``photo``, ``primary``: (3, H, W), 0…1. Returns (1, H, W), 0…1. At the border only pixels of the photo count.
    """
    change = (photo - primary.clamp(0, 1)).abs().mean(0, keepdim=True)
    return smoothstep(local_mean(change, WINDOW), limits)


def blend_small_changes(photo: Tensor, layers: Mapping[str, Tensor], limits: Limits) -> dict[str, Tensor]:
    """Layers (3, H, W) blended towards "nothing to remove" where the change is small; the first is the photo's own."""
    primary = next(iter(layers))
    believed = confidence_map(photo, layers[primary], limits)
    blended = {name: believed * layer for name, layer in layers.items()}
    return {**blended, primary: torch.lerp(photo, layers[primary], believed)}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known of a whole photo before its layers are made.

    ``confidence``: how probable it is that there is something to remove, 0…1; ``believed``: how far the network is followed, 0…1;
    ``answer``: its layers, where it saw every pixel already.
    """

    confidence: float = 1.0
    believed: float = 1.0
    answer: Mapping[str, Tensor] | None = None


def believed_by(value: float, limits: Limits | None) -> float:
    """How far a number is believed, 0…1, between its limits; 1 without limits."""
    return 1.0 if limits is None else float(smoothstep(torch.tensor(value), limits))


def confidence_of(photo: Tensor, primary: Tensor, limits: Limits) -> float:
    """How far the changes of a whole photo are believed, by their mean; (3, H, W), 0…1 each."""
    return float(smoothstep((photo - primary.clamp(0, 1)).abs().mean(), limits))
