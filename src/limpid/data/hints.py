"""A rough brush: where a person would paint to say "here is the reflection"."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_VISIBLE = 0.05
"""Mean change over bands, 0…1, from which a person sees a reflection."""

_CELLS = (8, 16, 32)
"""Sides of the brush, pixels."""


def draw_hint(photo: Tensor, transmission: Tensor, draw: np.random.Generator) -> Tensor:
    """A mask (1, H, W) of 0 and 1 around what a (3, H, W) photo shows beside its transmission, painted with one brush.

    Places are missed at random, half of them at most; strokes reach beyond what they mean. Where nothing is visible it is 0.
    """
    height, width = photo.shape[1:]
    brush = int(draw.choice(_CELLS))
    visible = ((photo - transmission).abs().mean(0, keepdim=True) > _VISIBLE).float()
    share = F.avg_pool2d(visible[None], brush, ceil_mode=True)
    painted = (share > draw.uniform(0.1, 0.6)).float()
    kept = torch.from_numpy(draw.random(painted.shape) >= draw.uniform(0, 0.5)).float()
    rough = F.interpolate(painted * kept, size=(height, width), mode="bilinear", align_corners=False)
    return (rough[0] > draw.uniform(0.2, 0.6)).float()
