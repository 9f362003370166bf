"""Resizing photos as published code does, by Pillow, in their own depth."""

from dataclasses import replace

import numpy as np
from PIL import Image

from limpid.errors import SettingError
from limpid.image.photo import Photo


def resample(photo: Photo, height: int, width: int, resampling: Image.Resampling) -> Photo:
    """The photo in another size, its alpha left out; the same one where nothing changes. Raises SettingError for a side below 1."""
    if min(height, width) < 1:
        raise SettingError(f"a photo cannot be resized to {width}×{height}; both sides must be at least 1 pixel")
    if (height, width) == (photo.height, photo.width):
        return photo
    if photo.pixels.dtype == np.uint8 and not photo.grey:
        made = np.asarray(Image.fromarray(photo.pixels).resize((width, height), resampling))
    else:  # Pillow has no colour in more than 8 bits
        channels = [
            np.asarray(Image.fromarray(channel.astype(np.float32)).resize((width, height), resampling))
            for channel in np.moveaxis(photo.pixels, 2, 0)
        ]
        floats = np.stack(channels, axis=2)
        limits = np.iinfo(photo.pixels.dtype) if photo.pixels.dtype.kind == "u" else None
        made = floats if limits is None else floats.round().clip(limits.min, limits.max).astype(photo.pixels.dtype)
    return replace(photo, pixels=np.ascontiguousarray(made), alpha=None)
