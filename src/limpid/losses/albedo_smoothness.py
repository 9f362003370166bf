"""Neighbours of one colour and brightness in the photo have one albedo."""

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.layers.batch import Batch
from limpid.layers.encoding import to_linear
from limpid.layers.unpaired import Translation
from limpid.losses._kinds import UnpairedLoss

CHROMA, LIGHT = 0.025, 0.1
"""Deviations of chromaticity and of intensity below which neighbours count as alike."""

SCALES = (1.0, 1 / 2, 0.3333, 1 / 4)
"""Weights of the four scales, each every second pixel of the one before."""


def albedo_smoothness(photo: Tensor, albedo: Tensor) -> Tensor:
    """Σ over scales of weight · Σ over 3×3 neighbours of mean(w·|R − R'|) / 24, on the interior.

    w = exp(−(Δ₁² + Δ₂²) / 0.025²) · exp(−Δ₃² / 0.1²) of the feature (r/Σ, g/Σ, Σ/3) of the photo in linear light. ``photo``,
    (B, 3, H, W), 0…1, encoded; ``albedo``: the same shape, any range; sides at least 24. Returns a scalar.
    """
    feature = _feature(photo)
    value = albedo.new_zeros(())
    for weight in SCALES:
        value = value + weight * _scale(feature, albedo)
        feature, albedo = feature[..., ::2, ::2], albedo[..., ::2, ::2]
    return value


def _feature(photo: Tensor) -> Tensor:
    linear = to_linear(photo)
    total = linear.sum(1, keepdim=True) + 1e-6
    return torch.cat((linear[:, :2] / total, total / 3), dim=1)


def _scale(feature: Tensor, albedo: Tensor) -> Tensor:
    around, inside = _windows(feature), feature[..., 1:-1, 1:-1].flatten(2)[:, :, None]
    squared = (around - inside).square()  # (B, 3, 9, interior)
    weight = torch.exp(-squared[:, :2].sum(1) / CHROMA**2 - squared[:, 2] / LIGHT**2).detach()
    change = (_windows(albedo) - albedo[..., 1:-1, 1:-1].flatten(2)[:, :, None]).abs()
    value: Tensor = (weight[:, None] * change).mean((0, 1, 3)).sum() / (8 * albedo.shape[1])
    return value


def _windows(image: Tensor) -> Tensor:
    """(B, 3, H, W) → (B, 3, 9, interior): the 3×3 surroundings of every inner pixel."""
    return F.unfold(image, 3).reshape(len(image), 3, 9, -1)


class AlbedoSmoothness(UnpairedLoss):
    """``albedo_smoothness`` summed over the first layers of all sets of layers: in USI3D of split and of random style."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of the photos and their albedo."""
        first = [next(iter(layers.values())) for layers in translation.compositions]
        return torch.stack([albedo_smoothness(batch.input, albedo) for albedo in first]).sum()


ENTRY = LossEntry(build=AlbedoSmoothness, takes="unpaired", source="DreamtaleCore/USI3D; Liu et al., CVPR 2020, arXiv:1911.09930")
