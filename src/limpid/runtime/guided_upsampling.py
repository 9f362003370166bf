"""Layers of a large photo from layers separated at working resolution, by guided up-sampling of what is finer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import cv2
import torch
from torch import Tensor

from limpid.image.size import local_mean

RADIUS = 1
EPSILON = 1e-2
"""Window radius in working pixels and regulariser (square of full scale); chosen by ``benchmarks/rebuild.py``."""


@dataclass(frozen=True)
class Guidance:
    """A layer at working resolution and how it follows the photo there: layer ≈ slope · photo + …; each (3, h, w)."""

    layer: Tensor
    slope: Tensor


def fit_guidance(photo: Tensor, layer: Tensor, *, radius: int = RADIUS, epsilon: float = EPSILON) -> Guidance:
    """Slope of the regression of the layer on the photo in each window, channel by channel, averaged over the window.

    ``photo``, ``layer``: (3, h, w) at working resolution. Source: He, Sun & Tang, ECCV 2010 (guided filter, eq. 5), fitted small
    and applied large as in He & Sun, arXiv:1505.00996.
    """
    mean = partial(local_mean, side=2 * radius + 1)
    photo_mean = mean(photo)
    covariance = mean(photo * layer) - photo_mean * mean(layer)
    variance = mean(photo * photo) - photo_mean * photo_mean
    return Guidance(layer, mean(covariance / (variance + epsilon)))


def enlarge(small: Tensor, rows: tuple[int, int], height: int, width: int) -> Tensor:
    """Rows ``rows[0]``…``rows[1]`` of a (3, h, w) image enlarged bilinearly to ``height`` × ``width``; the rest is never built."""
    scale = small.shape[-2] / height
    centres = (torch.arange(*rows, dtype=torch.float64) + 0.5) * scale - 0.5
    low = centres.floor().clamp(0, small.shape[-2] - 1).long()
    high = (low + 1).clamp(max=small.shape[-2] - 1)
    share = (centres - low).clamp(0, 1).float()[:, None]
    strip = torch.lerp(small[:, low], small[:, high], share).permute(1, 2, 0).contiguous()  # (3, rows, w) -> (rows, w, 3)
    wide = cv2.resize(strip.numpy(), (width, rows[1] - rows[0]), interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(wide.reshape(*wide.shape[:2], -1)).permute(2, 0, 1)


def apply_guidance(
    photo: Tensor, small: Tensor, guidance: Mapping[str, Guidance], rows: tuple[int, int], height: int
) -> dict[str, Tensor]:
    """Layers of the rows ``rows`` of a photo of ``height``: the enlarged layer plus its share of the photo's finer detail.

    ``photo``: those rows, (3, rows, W); ``small``: the whole photo at working resolution, (3, h, w). A smooth layer keeps no
    detail (slope 0), one that follows the photo takes all of it (slope 1). Own combination of the two steps above.
    """
    width = photo.shape[-1]
    detail = photo - enlarge(small, rows, height, width)
    return {
        name: enlarge(fitted.layer, rows, height, width) + enlarge(fitted.slope, rows, height, width) * detail
        for name, fitted in guidance.items()
    }
