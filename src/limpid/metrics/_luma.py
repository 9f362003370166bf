"""Luma as the field computes it for its Y-channel numbers."""

import torch
from torch import Tensor

from limpid.errors import ShapeError


def luma601(photo: Tensor) -> Tensor:
    """Y of BT.601 with the studio range 16…235 on a scale of 255, as MATLAB's rgb2ycbcr, not rounded.

    (3, H, W), 0…1, sRGB-encoded → (1, H, W), float64, 16/255…235/255. Raises ShapeError for other bands.
    """
    if photo.ndim != 3 or photo.shape[0] != 3:
        raise ShapeError(f"luma needs a (3, H, W) photo; got {tuple(photo.shape)}")
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64)
    return (torch.einsum("c,chw->hw", weights, photo.detach().cpu().double()) + 16).unsqueeze(0) / 255
