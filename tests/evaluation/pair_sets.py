"""Small sets for the tests of the benchmark, made on the spot."""

from pathlib import Path

import cv2
import numpy as np

TABLE2 = Path(__file__).parents[3] / "shared" / "data" / "ceilnet_synthetic"


def photo(seed, size=(48, 40)):
    """A smooth (H, W, 3) uint8 photo, from dark to bright."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR)


def save(path, pixels):
    """Write an (H, W, 3) or (H, W) photo, RGB; the format by the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return path


def paired(root, names=("a", "b", "c"), size=(48, 40)):
    """A tidy set: truths, and inputs half way to another photo."""
    for place, name in enumerate(names):
        truth = photo(place, size)
        mixed = (truth.astype(float) / 2 + photo(place + 100, size) / 2).round().astype(np.uint8)
        save(root / "transmission_layer" / f"{name}.png", truth)
        save(root / "blended" / f"{name}.png", mixed)
    return root
