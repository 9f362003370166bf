"""The way between the integers of files and the fractions of full intensity that networks see."""

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from limpid.errors import ShapeError

Pixels = np.ndarray
"""Samples of a photo: uint8 up to 255, uint16 up to 65535, or float32 up to 1."""


def white(dtype: DTypeLike) -> int:
    """The value of full intensity in a depth: 255, 65535, or 1 for fractions."""
    return {"uint8": 255, "uint16": 65535}.get(np.dtype(dtype).name, 1)


def quantise(layer: Tensor, dtype: DTypeLike, grey: bool = False) -> Pixels:
    """A (3, h, W) layer in a depth: clamped to 0…1 and rounded to the nearest, as (h, W, 3), or (h, W, 1) when ``grey``.

    ``dtype``: uint8, uint16 or float32. Grey is the mean of the channels, exact where they are equal. Raises ShapeError.
    """
    if layer.ndim != 3 or layer.shape[0] != 3:
        raise ShapeError(f"a layer to be written is (3, H, W); got {tuple(layer.shape)}, take one of the batch first")
    channels = layer.detach().cpu().double().mean(0, keepdim=True) if grey else layer.detach()
    result: Pixels = np.empty((*layer.shape[1:], len(channels)), dtype=dtype)
    scale = white(dtype)
    for index, channel in enumerate(channels):
        values = channel.cpu().to(torch.float64 if grey else torch.float32).clamp(0, 1)
        result[..., index] = (values.mul(scale).round() if scale > 1 else values).numpy()
    return result


def change_depth(pixels: Pixels, dtype: DTypeLike) -> Pixels:
    """The same picture in another depth, rounded to the nearest; the same array where the depth is right already."""
    if pixels.dtype == dtype:
        return pixels
    scaled = pixels.astype(np.float64) * (white(dtype) / white(pixels.dtype))
    return (scaled.round() if white(dtype) > 1 else scaled).astype(dtype)
