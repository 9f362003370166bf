"""Reflectance times shading is the photo, on the numbers that the network gives and gets."""

from collections.abc import Mapping

import torch
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.unpaired import Translation
from limpid.losses._kinds import UnpairedLoss


def physical(photo: Tensor, layers: Mapping[str, Tensor]) -> Tensor:
    """mean|I − Π layers|, without any decoding: (B, 3, H, W), layers as the network gives them, −1…1. Returns a scalar."""
    return (photo - torch.stack(list(layers.values())).prod(0)).abs().mean()


class Physical(UnpairedLoss):
    """``physical`` summed over all sets of layers of a photo: in USI3D those of its split style and of random ones."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of the photos and their layers."""
        return torch.stack([physical(batch.input, layers) for layers in translation.compositions]).sum()


ENTRY = LossEntry(build=Physical, takes="unpaired", source="Liu et al., CVPR 2020, arXiv:1911.09930")
