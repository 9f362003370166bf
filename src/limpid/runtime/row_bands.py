"""Photos and layers as bands of rows, from top to bottom, so that nothing large is held twice."""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Bands = Iterator[tuple[int, int, dict[str, Tensor]]]
"""Top, bottom and layers of bands of rows, from top to bottom."""

_BAND = 1 << 19  # pixels of rows handled at once where there are no tiles


def with_hint(image: Tensor, hint: Tensor | None) -> Tensor:
    """(3, H, W), and the hint (1, H, W) as a fourth channel where there is one."""
    return image if hint is None else torch.cat([image, hint])


def reduced(hint: Tensor | None, size: tuple[int, int]) -> Tensor | None:
    """A hint at a smaller size (height, width), averaged over areas."""
    return hint if hint is None else F.interpolate(hint[None], size=size, mode="area")[0]


def band_rows(width: int) -> int:
    """How many rows of so many pixels are handled at once."""
    return max(16, _BAND // width)


def in_bands(layers: Mapping[str, Tensor], height: int, width: int) -> Bands:
    """Layers (3, H, W) cut into bands."""
    step = band_rows(width)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        yield top, bottom, {name: layer[:, top:bottom] for name, layer in layers.items()}
