"""The first 1×1 convolution of a hypercolumn without the hypercolumn.

A hypercolumn stacks the maps of a backbone, all enlarged to the photo, and convolves them by 1×1. Enlarging bilinearly acts on
each channel alone with weights that sum to 1, so the convolution may come first: each map is multiplied by its slice of the
weight at its own resolution, and only the products are enlarged and summed. Exact up to rounding; 64 or 256 channels are held
instead of 1,475.
"""

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

_CHUNK = 64  # channels enlarged at once where no gradient is wanted


def enlarge(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, half-pixel centres, no antialiasing; unchanged where the size fits already."""
    if features.shape[-2:] == torch.Size(size):
        return features
    return F.interpolate(features, size=size, mode="bilinear", align_corners=False)


def fold(
    stages: Iterable[tuple[str, Tensor]],
    weights: Mapping[str, Tensor],
    photo: Tensor,
    photo_weight: Tensor,
    bias: Tensor,
    covered: tuple[int, int],
) -> Tensor:
    """Sum over taps of enlarge(weight ∗ map) + photo_weight ∗ photo + bias: (B, D, H, W) for a photo (B, 3, H, W).

    ``stages``: tap → map (B, C, h, w); ``weights``: tap → (D, C); ``photo_weight``: (D, 3); ``bias``: (D,).
    ``covered``: size in pixels of the photo's grid that the maps cover, at least (H, W).
    """
    size = (photo.shape[-2], photo.shape[-1])
    total: Tensor | None = None
    for tap, features in stages:
        if total is None and features.shape[-2:] == photo.shape[-2:] and covered == size:
            joint = torch.cat((photo_weight, weights[tap]), dim=1)
            total = F.conv2d(torch.cat((photo, features), dim=1), joint[..., None, None], bias)
            continue
        if total is None:
            total = F.conv2d(photo, photo_weight[..., None, None], bias)
        total = add_enlarged(total, F.conv2d(features, weights[tap][..., None, None]), covered)
    return F.conv2d(photo, photo_weight[..., None, None], bias) if total is None else total


def add_enlarged(total: Tensor, features: Tensor, covered: tuple[int, int], mode: str = "bilinear") -> Tensor:
    """Sum of ``total`` and of features enlarged to ``covered`` and cropped to it; ``mode``: ``bilinear`` or ``nearest``.

    In place and by groups of channels when no gradient is wanted, so that no second map of full size is held.
    """
    height, width = total.shape[-2:]
    corners = False if mode == "bilinear" else None

    def enlarged(part: Tensor) -> Tensor:
        return F.interpolate(part, size=covered, mode=mode, align_corners=corners)[..., :height, :width]

    if torch.is_grad_enabled():
        return total + enlarged(features)
    for start in range(0, total.shape[1], _CHUNK):
        total[:, start : start + _CHUNK] += enlarged(features[:, start : start + _CHUNK])
    return total
