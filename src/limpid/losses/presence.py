"""Whether there is a reflection in a photo at all."""

import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.losses._kinds import SceneLoss

_VISIBLE = 2 / 255
"""Mean difference of photo and transmission from which a person sees a reflection, encoded."""


def visible(photo: Tensor, transmission: Tensor) -> Tensor:
    """1 where a photo differs visibly from its transmission, 0 elsewhere; (B, 3, H, W) twice → (B,)."""
    return ((photo - transmission).abs().mean((1, 2, 3)) > _VISIBLE).to(photo.dtype)


class Presence(SceneLoss):
    """Binary cross-entropy of the step ``presence``, a logit (B, 1, 1, 1), and ``visible``; 0 for networks without that step."""

    needs = ("transmission", "reflection")

    def __init__(self) -> None:
        super().__init__()

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of a scene and the truth; noise in a photo without a reflection makes none."""
        if "presence" not in layers.steps:
            return batch.input.new_zeros(())
        there = visible(batch.input, batch.truth["transmission"]) * (batch.truth["reflection"].amax((1, 2, 3)) > 0)
        return F.binary_cross_entropy_with_logits(layers.steps["presence"].flatten(), there)


ENTRY = LossEntry(build=Presence, takes="scene", source="limpid's own")
