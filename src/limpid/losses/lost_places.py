"""Where a photo is blown out by a reflection, nothing of the layer behind is left to recover."""

import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.losses._kinds import SceneLoss

_WHITE = 0.99
"""Value from which a band counts as blown out, encoded."""

_CHANGED = 0.05
"""Mean difference over bands between photo and layer from which it was the reflection that did it."""


def lost_places(photo: Tensor, layer: Tensor) -> Tensor:
    """1 where all bands of the photo are white and those of the layer behind are not, 0 elsewhere; (B, 3, H, W) → (B, 1, H, W)."""
    white = photo.amin(1, keepdim=True) >= _WHITE
    return (white & ((photo - layer).abs().mean(1, keepdim=True) > _CHANGED)).to(photo.dtype)


class LostPlaces(SceneLoss):
    """Binary cross-entropy of the step ``lost``, a logit (B, 1, H, W), and ``lost_places``; 0 for networks without that step."""

    needs = ("transmission",)

    def __init__(self) -> None:
        super().__init__()

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of a scene and the truth."""
        if "lost" not in layers.steps:
            return batch.input.new_zeros(())
        return F.binary_cross_entropy_with_logits(layers.steps["lost"], lost_places(batch.input, batch.truth["transmission"]))


ENTRY = LossEntry(build=LostPlaces, takes="scene", source="limpid's own")
