"""The first 1×1 convolution of a hypercolumn without the hypercolumn.

A hypercolumn stacks the maps of a backbone, all enlarged to the photo, and convolves them by 1×1. Enlarging bilinearly acts on
each channel alone with weights that sum to 1, so the convolution may come first: each map is multiplied by its slice of the
weight at its own resolution, and only the products are enlarged and summed. Exact up to rounding; 64 or 256 channels are held
instead of 1,475.
"""

from collections.abc import Iterable, Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.blocks.global_context import cuts
from limpid.blocks.resize import add_cut, add_enlarged, enlarge
from limpid.layers.context import Tile


def project(stages: Iterable[tuple[str, Tensor]], weights: Mapping[str, Tensor]) -> Iterator[Tensor]:
    """Each tap by its weight, weight ∗ map, not yet enlarged: (B, D, h, w) for maps (B, C, h, w) and weights (D, C)."""
    for tap, features in stages:
        yield F.conv2d(features, weights[tap][..., None, None])


def fold(
    stages: Iterable[tuple[str, Tensor]],
    weights: Mapping[str, Tensor],
    photo: Tensor,
    photo_weight: Tensor,
    bias: Tensor,
    covered: tuple[int, int],
    tile: Tile | None = None,
) -> Tensor:
    """Sum over taps of enlarge(weight ∗ map) + photo_weight ∗ photo + bias: (B, D, H, W) for a photo (B, 3, H, W).

    ``stages``: tap → map (B, C, h, w); ``weights``: tap → (D, C); ``photo_weight``: (D, 3); ``bias``: (D,).
    ``covered``: size in pixels of the photo's grid that the maps cover, at least (H, W). In a ``tile`` of a photo they are its own
    maps, of halved sides, stretched over the photo as a whole.
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
        product = F.conv2d(features, weights[tap][..., None, None])
        if tile is None:
            total = add_enlarged(total, product, covered)
        else:
            stride = 1 << (size[0] // product.shape[-2]).bit_length() - 1  # maps are halved, sides rounded down
            total = add_cut(total, product, *cuts(tile, size, stride))
    return F.conv2d(photo, photo_weight[..., None, None], bias) if total is None else total


def fold_neighbours(stages: Iterable[tuple[str, Tensor]], photo: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The same for a first convolution of 3×3 with zeros around: (B, D, H, W) for a photo (B, 3, H, W).

    ``weight``: (D, 3 + Σ channels, 3, 3), photo first, then the taps in order. Each of its nine places is a 1×1 convolution, whose
    product is enlarged and moved by its offset.
    """
    size, taken = (photo.shape[-2], photo.shape[-1]), 3
    total: Tensor | None = None
    for _, features in stages:
        part = weight[:, taken : taken + features.shape[1]]
        taken += features.shape[1]
        if total is None and features.shape[-2:] == photo.shape[-2:]:
            total = F.conv2d(torch.cat((photo, features), dim=1), torch.cat((weight[:, :3], part), dim=1), bias, padding=1)
            continue
        if total is None:
            total = F.conv2d(photo, weight[:, :3], bias, padding=1)
        for row in range(3):
            for column in range(3):
                product = enlarge(F.conv2d(features, part[:, :, row, column, None, None]), size)
                total = _add_moved(total, product, row - 1, column - 1)
    return F.conv2d(photo, weight[:, :3], bias, padding=1) if total is None else total


def _add_moved(total: Tensor, product: Tensor, down: int, right: int) -> Tensor:
    """total[y, x] + product[y + down, x + right], zeros outside; in place when no gradient is wanted."""
    height, width = total.shape[-2:]
    if torch.is_grad_enabled():
        return total + F.pad(product, (1, 1, 1, 1))[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]
    rows, columns = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    source = product[..., max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
    total[..., rows, columns] += source
    return total
