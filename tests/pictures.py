"""Photos for tests, made on the spot."""

import numpy as np
from PIL import Image


def picture(path, size=(40, 30), seed=0):
    """Write a photo of smooth random colours, its format by its extension; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)
    return path
