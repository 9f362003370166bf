"""Pairs of photos that the tests of metrics share."""

from pathlib import Path

import cv2
import numpy as np
import torch

SIZES = [(11, 11), (13, 29), (64, 48), (301, 20)]
"""Smallest, odd, even, and more rows than one strip of windows."""

TABLE2 = Path(__file__).parents[3] / "shared" / "data" / "ceilnet_synthetic"


def smooth(seed, size, channels=3):
    """A (C, H, W) float64 photo 0…1 with structure at several scales."""
    draw = np.random.default_rng(seed)
    height, width = size
    coarse = draw.random((max(2, height // 6), max(2, width // 6), channels))
    photo = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, channels)
    photo = 0.8 * photo + 0.2 * draw.random((height, width, channels))
    return np.ascontiguousarray(photo.transpose(2, 0, 1))


def pair(size, channels=3):
    """An estimate and its target, (C, H, W), float64, 0…1."""
    target = smooth(1, size, channels)
    return 0.7 * target + 0.3 * smooth(2, size, channels), target


def tensors(*photos):
    return tuple(torch.from_numpy(photo) for photo in photos)
