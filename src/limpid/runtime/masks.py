"""Grey pictures that a person paints over a photo: where it may change, where it must not, where the reflection lies."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from limpid.errors import UsageError
from limpid.image.photo import Photo
from limpid.image.read import read
from limpid.layers.pixels import Pixels, white
from limpid.runtime.options import SeparationOptions

_FADE = 200  # the longer side of a photo over this is how far a mask fades, unless it is said


def read_mask(path: Path, photo: Photo, called: str) -> Pixels:
    """A mask as large as the photo, (H, W), uint8, 255 where it is white; raises UsageError for one of another size."""
    mask = read(path)
    if (mask.height, mask.width) != (photo.height, photo.width):
        sizes = f"{mask.width}x{mask.height} pixels, the photo {photo.width}x{photo.height}"
        raise UsageError(f"the {called} has {sizes}; paint it on a copy of the photo")
    grey = mask.pixels.mean(axis=2, dtype=np.float32)
    grey *= np.float32(255 / white(mask.pixels.dtype))
    rounded: Pixels = np.rint(grey, out=grey).astype(np.uint8)
    return rounded


def share_of_change(photo: Photo, options: SeparationOptions) -> Pixels | None:
    """How much of its change a photo takes, by place: (H, W), uint8, 255 all of it; None where no mask says anything.

    It is 0 wherever ``protect`` is white or ``only`` is black, and fades in beyond, over ``feather`` pixels. Raises UsageError.
    """
    if options.protect is None and options.only is None:
        return None
    kept = np.zeros((photo.height, photo.width), np.uint8)
    if options.protect is not None:
        kept = read_mask(options.protect, photo, "mask to protect")
    if options.only is not None:
        kept = np.maximum(kept, 255 - read_mask(options.only, photo, "mask of what may change"))
    width = -(-max(kept.shape) // _FADE) if options.feather is None else options.feather
    return 255 - _faded(kept, width)


def rows_of(share: Pixels | None, rows: slice) -> Tensor | None:
    """These rows of a share as (1, h, W), 0…1."""
    return None if share is None else torch.from_numpy(share[rows]).float()[None] / 255


def _faded(kept: Pixels, width: int) -> Pixels:
    """What is kept stays kept, and fades out around itself: grown by half the width, then averaged over as much."""
    if width == 0:
        return kept
    side = 2 * ((width + 1) // 2) + 1
    grown = cv2.dilate(kept, np.ones((side, side), np.uint8))
    return np.asarray(cv2.blur(grown, (side, side), borderType=cv2.BORDER_REPLICATE))
