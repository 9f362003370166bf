"""What light CGIntrinsics was rendered in: its shading, which the release leaves out, and where it can be trusted.

Facts of ``organize_cgintrisic_data.py`` in DreamtaleCore/USI3D (Liu et al., CVPR 2020); images Li & Snavely, ECCV 2018.
"""

import cv2
import numpy as np
import torch

from limpid.layers.encoding import to_encoded

_GAMMA = 2.2  # of the released renderings; the albedo is released linear
_DARKEST = 1e-6  # of albedo, and of the mean of an albedo or a photo that can be trusted
_FAINTEST, _BRIGHTEST, _LIMIT = 1e-4, 10.0, 20.0  # trusted shadings, and what the others are limited to
_MARGIN = 11  # side of the square that the mask is eroded by, pixels
_WHITE = 95.0  # percentile of the trusted shading that becomes 1
_FEWEST = 10  # trusted values without which the scale stays


def shading(photo: np.ndarray, albedo: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Shading S = photo^2.2 / albedo, linear, 0…1, the mask of where it can be trusted, and the factor to S that was taken out.

    ``photo``: encoded, ``albedo``: linear, (H, W, 3) each, 0…1; ``mask``: (H, W), bool. Returns (H, W, 3) float32, (H, W, 3)
    bool, and the 95th percentile of the trusted shading, by which it was divided; what then exceeds 1 is cut off.
    """
    seen = mask & (albedo.mean(2) >= _DARKEST) & (photo.mean(2) >= _DARKEST)
    seen = cv2.erode(seen.astype(np.uint8), np.ones((_MARGIN, _MARGIN), np.uint8)).astype(bool)
    light = photo.astype(np.float32) ** _GAMMA / np.maximum(albedo, _DARKEST)
    trusted = seen[..., None] & (light <= _BRIGHTEST) & (light >= _FAINTEST)
    light = light.clip(_FAINTEST, _LIMIT)
    white = float(np.percentile(light[trusted], _WHITE)) if trusted.sum() >= _FEWEST else 1.0
    return (light / white).clip(0, 1).astype(np.float32), trusted, white


def encoded(linear: np.ndarray) -> np.ndarray:
    """Linear light, 0…1 → sRGB-encoded 8-bit values, any shape."""
    values = to_encoded(torch.from_numpy(np.ascontiguousarray(linear, dtype=np.float32)))
    pixels: np.ndarray = values.mul(255).round().clamp(0, 255).byte().numpy()
    return pixels
