"""Enlarging maps, or that part of an enlarged map which one tile of a photo covers."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Mode = Literal["bilinear", "nearest", "corners"]
"""Bilinear with half-pixel centres; nearest; bilinear with the centres of the corner cells on those of the corner pixels."""

_CHUNK = 64  # channels enlarged at once where no gradient is wanted
_CUT_CHUNK = 16  # the same where a part is cut out, which holds more for each channel


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Along one axis: the pixels ``first`` … ``first + count`` of ``cells`` cells that are enlarged to ``length`` pixels.

    ``held``: which cell is the first of those that are at hand.
    """

    first: int
    count: int
    length: int
    cells: int
    held: int = 0


def enlarge(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, half-pixel centres, no antialiasing; unchanged where the size fits already."""
    if features.shape[-2:] == torch.Size(size):
        return features
    return F.interpolate(features, size=size, mode="bilinear", align_corners=False)


def add_enlarged(
    total: Tensor, features: Tensor, covered: tuple[int, int], mode: Literal["bilinear", "nearest"] = "bilinear"
) -> Tensor:
    """Sum of ``total`` and of features enlarged to ``covered`` and cropped to it.

    In place and by groups of channels when no gradient is wanted, so that no second map of full size is held.
    """
    height, width = total.shape[-2:]
    corners = False if mode == "bilinear" else None

    def enlarged(part: Tensor) -> Tensor:
        return F.interpolate(part, size=covered, mode=mode, align_corners=corners)[..., :height, :width]

    if torch.is_grad_enabled() or torch.compiler.is_compiling():  # slices written in place make long graphs
        return total + enlarged(features)
    for start in range(0, total.shape[1], _CHUNK):
        total[:, start : start + _CHUNK] += enlarged(features[:, start : start + _CHUNK])
    return total


def add_cut(total: Tensor, features: Tensor, rows: Cut, columns: Cut, mode: Mode = "bilinear") -> Tensor:
    """Sum of ``total`` (B, C, rows.count, columns.count) and of that part of the enlarged features, as ``add_enlarged``."""
    if torch.is_grad_enabled():
        return total + cut(features, rows, columns, mode)
    for start in range(0, total.shape[1], _CUT_CHUNK):
        total[:, start : start + _CUT_CHUNK] += cut(features[:, start : start + _CUT_CHUNK], rows, columns, mode)
    return total


def cut(features: Tensor, rows: Cut, columns: Cut, mode: Mode) -> Tensor:
    """The part of the enlarged features alone: (B, C, h, w) → (B, C, rows.count, columns.count), at least float32.

    Where cells would be needed that are not at hand, the nearest one at hand serves.
    """
    exact = features.to(torch.promote_types(features.dtype, torch.float32))
    return _along(_along(exact, rows, -2, mode), columns, -1, mode)


def _along(features: Tensor, part: Cut, axis: int, mode: Mode) -> Tensor:
    low, share = _cells(part, mode, features.device)
    last = features.shape[axis] - 1
    near = features.index_select(axis, (low - part.held).clamp(0, last))
    if mode == "nearest":
        return near
    far = features.index_select(axis, ((low + 1).clamp(max=part.cells - 1) - part.held).clamp(0, last))
    return torch.lerp(near, far, share.to(features.dtype) if axis == -1 else share.to(features.dtype)[:, None])


def _cells(part: Cut, mode: Mode, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cell below each pixel, and how far the pixel is on its way to the next cell, 0…1."""
    pixels = torch.arange(part.first, part.first + part.count, device=device, dtype=torch.float64)
    if mode == "nearest":  # in float32, as PyTorch, whose rounding decides where a pixel lies on an edge
        scale = torch.tensor(part.cells / part.length, dtype=torch.float32, device=device)
        where = (pixels.float() * scale).clamp(max=part.cells - 1).double()
    elif mode == "corners":
        where = pixels * ((part.cells - 1) / max(part.length - 1, 1))
    else:
        where = ((pixels + 0.5) * (part.cells / part.length) - 0.5).clamp(0, part.cells - 1)
    low = where.floor()
    return low.long(), where - low
