"""Whether every place of the target finds its like somewhere in the estimate: a loss for pairs that do not align."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.losses._check import check_pair
from limpid.losses._features import Features

LAYERS: Mapping[str, float] = {"relu2_2": 1, "relu3_2": 1, "conv4_2": 1}
"""ERRNet's taps 8, 13 and 22 of VGG-19 as they really are (told in ``_features``)."""

_COPIES = 8
"""Matrices of a chunk that are alive at once, backward pass included."""


def contextual(estimate: Tensor, target: Tensor, *, bandwidth: float = 1.0, megabytes: float = 256) -> Tensor:
    """Mean over samples of −log CX; CX = mean_i max_j w_ij, w_ij = softmax over i of (1 − d_ij / (min_i d_ij + 1e-5)) / h.

    d_ij = (1 − cos(y_i, x_j)) / 2 of the features y_i of the target and x_j of the estimate, both less the target's mean over
    its places. (B, C, h, w) each, sizes may differ; ``bandwidth`` is h; ``megabytes`` caps the memory of the pairwise
    matrices by walking through j in pieces, which are made again in the backward pass: exact, for up to twice the time.
    Returns a scalar ≥ 0. Source: Mechrez et al., ECCV 2018, arXiv:1803.02077, in ERRNet's form (which averages the centre over
    the batch and keeps its first sample alone).
    """
    return torch.stack([_sample(x, y, bandwidth, megabytes) for x, y in zip(estimate, target, strict=True)]).mean()


class Contextual(nn.Module):
    """``contextual`` of the maps of a frozen backbone, Σ_l w_l · CX_l; (B, 3, H, W) each, no gradient on the target's side.

    ``layers``: layer → weight; ``normalised``: as in ``Perceptual``; ``bandwidth``: larger is softer; ``megabytes``: cap of the
    pairwise matrices. Raises SettingError, UnknownNameError.
    """

    def __init__(
        self,
        *,
        backbone: str = "vgg19",
        layers: Mapping[str, float] = LAYERS,
        normalised: bool | None = None,
        bandwidth: float = 1.0,
        megabytes: float = 256,
    ) -> None:
        super().__init__()
        if bandwidth <= 0 or megabytes <= 0:
            raise SettingError(f"bandwidth and megabytes must be positive; got {bandwidth} and {megabytes}")
        self.weights = dict(layers)
        self.features = Features(backbone, self.weights, normalised=normalised)
        self.bandwidth, self.megabytes = bandwidth, megabytes

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, 3, H, W) tensors. Raises ShapeError when they differ in shape."""
        check_pair(estimate, target)
        with torch.no_grad():
            wanted = self.features(target)
        found = self.features(estimate)
        settings: dict[str, Any] = {"bandwidth": self.bandwidth, "megabytes": self.megabytes}
        terms = [weight * contextual(found[layer], wanted[layer], **settings) for layer, weight in self.weights.items()]
        return torch.stack(terms).sum()


class _Best(torch.autograd.Function):
    """For each place of the target the largest weight that any place of the estimate gives it: (C, I), (C, J) → (I,).

    The matrix is made in pieces of so many ``places`` of the estimate, and those that gave a largest weight again going backward.
    """

    @staticmethod
    def forward(ctx: Any, wanted: Tensor, found: Tensor, bandwidth: float, places: int) -> Tensor:
        best = wanted.new_zeros(wanted.shape[1])  # weights are positive
        owner = torch.zeros_like(best, dtype=torch.long)
        for start in range(0, found.shape[1], places):
            largest, place = _weights(wanted, found[:, start : start + places], bandwidth).max(1)
            owner = torch.where(largest > best, place + start, owner)
            best = torch.maximum(largest, best)
        ctx.save_for_backward(wanted, found, owner)
        ctx.settings = bandwidth, places
        return best

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[None, Tensor, None, None]:
        wanted, found, owner = ctx.saved_tensors
        bandwidth, places = ctx.settings
        owners, number = owner.unique(return_inverse=True)  # places that give a largest weight, and which of them to whom
        slopes = torch.zeros_like(found)
        for start in range(0, len(owners), places):
            chosen = owners[start : start + places]
            rows = ((number >= start) & (number < start + places)).nonzero().squeeze(1)
            with torch.enable_grad():
                piece = found[:, chosen].requires_grad_()
                weights = _weights(wanted, piece, bandwidth)[rows, number[rows] - start]
            slopes[:, chosen] = torch.autograd.grad(weights, piece, slope[rows])[0]
        return None, slopes, None, None


def _sample(estimate: Tensor, target: Tensor, bandwidth: float, megabytes: float) -> Tensor:
    estimate, target = (maps.to(torch.promote_types(maps.dtype, torch.float32)) for maps in (estimate, target))
    centre = target.mean((1, 2)).unsqueeze(1)  # (C, 1)
    found = F.normalize(estimate.flatten(1) - centre, dim=0, eps=1e-6)  # (C, J), guarded where a feature equals the centre
    wanted = F.normalize(target.flatten(1) - centre, dim=0, eps=1e-6)  # (C, I)
    column = _COPIES * wanted.shape[1] * wanted.element_size()  # bytes per place of the estimate
    places = max(1, int(megabytes * 2**20 / column))
    best: Tensor = _Best.apply(wanted, found, bandwidth, places)  # type: ignore[no-untyped-call]
    return -best.mean().log()


def _weights(wanted: Tensor, found: Tensor, bandwidth: float) -> Tensor:
    """How much each of n places of the estimate likes each of I places of the target: (I, n), columns of sum 1."""
    with torch.autocast(found.device.type, enabled=False):  # the nearest place is told by the last digits
        distance = ((1 - wanted.T @ found) / 2).clamp(min=0)
    relative = distance / (distance.amin(0, keepdim=True) + 1e-5)
    return ((1 - relative) / bandwidth).softmax(0)


ENTRY = LossEntry(
    build=Contextual, takes="layer", source="Mechrez et al., ECCV 2018, arXiv:1803.02077; Wei et al., CVPR 2019, arXiv:1904.00637"
)
