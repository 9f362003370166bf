"""Photos for tests, made on the spot."""

import numpy as np
import torch
from PIL import Image

from limpid.physics.motion import convolve, shake_kernel


def picture(path, size=(40, 30), seed=0):
    """Write a photo of smooth random colours, its format by its extension; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def squares(seed, side=256):
    """Flat squares of random colour over one another: sharp edges, as the search expects of a photo."""
    draw = np.random.default_rng(seed)
    photo = np.full((3, side, side), 0.5)
    for _ in range(400):
        top, left = draw.integers(-40, side, 2)
        tall, wide = draw.integers(4, 60, 2)
        photo[:, max(top, 0) : top + tall, max(left, 0) : left + wide] = draw.random((3, 1, 1))
    return torch.from_numpy(photo).float()


def shaken_squares(seed, extent, side=256):
    """``squares`` blurred by a shake, the part of the sharp ones that is left of them, (3, h, w), and the kernel."""
    kernel = shake_kernel(np.random.default_rng(seed), extent)
    sharp = squares(seed, side)
    down, across = kernel.shape[0] // 2, kernel.shape[1] // 2
    return convolve(sharp, kernel), sharp[:, down : sharp.shape[1] - down, across : sharp.shape[2] - across], kernel
