"""What training and evaluation see of a data set: one photo and its layers."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from limpid.layers.batch import Kind


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One photo with what a network should make of it.

    ``input``: (3, H, W), float32, 0…1, sRGB-encoded; ``layers``: name → the same, those that are known. ``name``: stem of the file,
    or what was drawn. ``kind``: how the pair came to be; ``gain``: what the transmission was multiplied by in linear light when it
    was mixed, 1 where nobody did. ``hint``: (1, H, W), 1 where a person saw the layer that is to be taken off, 0 elsewhere.
    ``source``: what the recipe calls the source that it comes from.
    """

    input: Tensor
    layers: Mapping[str, Tensor]
    name: str
    kind: Kind = "aligned"
    gain: float = 1.0
    hint: Tensor | None = None
    source: str = ""
