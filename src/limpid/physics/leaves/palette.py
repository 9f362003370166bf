"""Colours of leaves, drawn from a law or from a photograph."""

from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from limpid.errors import SettingError
from limpid.physics.leaves.settings import Colours


def draw_colours(law: Colours, generator: np.random.Generator, count: int, photos: Sequence[Tensor]) -> np.ndarray:
    """``count`` colours, (count, 3) float32, 0…1, sRGB-encoded.

    ``uniform``: each channel on its own. ``saturated``: L in 0…100, a and b in −127…127, clipped to what RGB can show.
    ``natural``: random pixels of one of the ``photos``, each (3, H, W), 0…1; only that one is taken from the sequence, so it may
    read files on demand. Raises SettingError when ``natural`` has no photo. NumPy seeds give the published draws.
    """
    if law == "uniform":
        return generator.random((count, 3)).astype(np.float32)
    if law == "saturated":
        lab = (generator.random((count, 3)) + (0.0, -0.5, -0.5)) * (100.0, 254.0, 254.0)
        rgb = cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_Lab2RGB)
        return np.asarray(np.clip(rgb[0], 0, 1))
    if len(photos) == 0:
        raise SettingError("colours 'natural' come from a photo; pass at least one as photos=")
    photo = photos[int(generator.integers(len(photos)))]
    pixels = photo.detach().cpu().numpy().reshape(3, -1)
    return np.ascontiguousarray(pixels[:, generator.integers(0, pixels.shape[1], count)].T, dtype=np.float32)
