"""What training and evaluation see of a data set: one photo and its layers."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One photo with what a network should make of it.

    ``input``, ``transmission``, ``reflection``: (3, H, W), float32, 0…1, sRGB-encoded, equal sizes; ``reflection`` is None
    where nobody knows it. ``name``: stem of the file, or what was drawn.
    """

    input: Tensor
    transmission: Tensor
    reflection: Tensor | None
    name: str
