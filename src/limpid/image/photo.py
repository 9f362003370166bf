"""A photo as a file holds it, and the way between its integers and the tensors that networks see."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from limpid.errors import ShapeError

Pixels = np.ndarray
"""Samples of a photo: uint8 up to 255, uint16 up to 65535, or float32 up to 1."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a file says about its photo, as bytes, so that it can be written back as found.

    ``exif``: TIFF-structured block without the leading ``Exif``, orientation reset to 1, thumbnail dropped. ``xmp``: packet.
    ``icc``: profile that the pixels are encoded in. ``dpi``: horizontal and vertical dots per inch.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One photo, upright, in the depth of its file.

    ``pixels``: (H, W, C), C = 1 (grey) or 3 (RGB), C-contiguous, uint8, uint16 or float32 (0…1), encoded as its profile says
    (sRGB where there is none). ``alpha``: (H, W) in the same depth, or None. ``format``: what it was read from, ``PNG`` for a
    photo from memory. ``notes``: what was converted, dropped or repaired, in words for the user. ``name``: for messages.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    format: str = "PNG"
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()
    name: str = "photo"

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def grey(self) -> bool:
        """Whether the photo has one channel."""
        return bool(self.pixels.shape[2] == 1)

    def tensor(self, rows: slice = slice(None)) -> Tensor:
        """These rows as (3, h, W), float32, 0…1; grey is repeated.

        Only these rows are converted, so that a large photo never needs a whole copy in float.
        """
        part = self.pixels[rows]
        result = np.empty((3, *part.shape[:2]), dtype=np.float32)
        for channel in range(3):
            source = part[..., min(channel, part.shape[2] - 1)]
            np.divide(source, np.float32(white(part.dtype)), out=result[channel])
        return torch.from_numpy(result)


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
