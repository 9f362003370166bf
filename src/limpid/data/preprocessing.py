"""What some sets do to the pixels of their files: centre crops and a fixed short side."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from limpid.data.augment import even_proportion
from limpid.errors import DataError

Change = Callable[[np.ndarray], np.ndarray]
"""(H, W, 3) uint8 RGB in and out; raises DataError for a photo that the set cannot hold."""


def centre_crop(side: int) -> Change:
    """The square of ``side`` pixels in the middle, rounded towards the top left; DataError for a smaller photo."""

    def crop(photo: np.ndarray) -> np.ndarray:
        height, width = photo.shape[:2]
        if min(height, width) < side:
            raise DataError(f"is {width}×{height}, too small for a crop of {side}×{side}")
        top, left = (height - side) // 2, (width - side) // 2
        return photo[top : top + side, left : left + side]

    return crop


def short_side(target: int) -> Change:
    """The short side becomes ``target`` pixels, the other in proportion rounded up to even; Pillow's bicubic (ERRNet)."""

    def resize(photo: np.ndarray) -> np.ndarray:
        height, width = photo.shape[:2]
        short = min(height, width)
        tall, wide = (even_proportion(side, target, short) for side in (height, width))
        return np.asarray(Image.fromarray(photo).resize((wide, tall), Image.Resampling.BICUBIC))

    return resize
