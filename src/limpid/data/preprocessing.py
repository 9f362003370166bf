"""What some sets do to the pixels of their files: centre crops and a fixed short side."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from limpid.data.augment import even_proportion
from limpid.errors import DataError

Change = Callable[[np.ndarray], np.ndarray]
"""(H, W, 3) uint8 RGB in and out; raises DataError for a photo that the set cannot hold."""


def centre_crop(wide: int, tall: int | None = None) -> Change:
    """The middle, ``wide`` by ``tall`` pixels (None: a square), rounded towards the top left; DataError for a smaller photo."""
    tall = wide if tall is None else tall

    def crop(photo: np.ndarray) -> np.ndarray:
        height, width = photo.shape[:2]
        if width < wide or height < tall:
            raise DataError(f"is {width}×{height}, too small for a crop of {wide}×{tall}")
        top, left = (height - tall) // 2, (width - wide) // 2
        return photo[top : top + tall, left : left + wide]

    return crop


def short_side(target: int) -> Change:
    """The short side becomes ``target`` pixels, the other in proportion rounded up to even; Pillow's bicubic (ERRNet)."""

    def resize(photo: np.ndarray) -> np.ndarray:
        height, width = photo.shape[:2]
        short = min(height, width)
        tall, wide = (even_proportion(side, target, short) for side in (height, width))
        return np.asarray(Image.fromarray(photo).resize((wide, tall), Image.Resampling.BICUBIC))

    return resize
