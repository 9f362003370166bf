"""A photo as a file holds it."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from limpid.layers.pixels import Pixels, white


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a file says about its photo, as bytes, so that it can be written back as found.

    ``exif``: TIFF-structured block without the leading ``Exif``, orientation reset to 1, thumbnail dropped. ``xmp``: packet.
    ``icc``: profile that the pixels are encoded in. ``iptc``: records of captions. ``dpi``: horizontal and vertical dots per inch.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One photo, upright, in the depth of its file.

    ``pixels``: (H, W, C), C = 1 (grey) or 3 (RGB), C-contiguous, uint8, uint16 or float32 (0…1), encoded as its profile says
    (sRGB where there is none). ``alpha``: (H, W) in the same depth, or None. ``format``: what it was read from, ``PNG`` for a
    photo from memory. ``notes``: what was converted, dropped or repaired, in words for the user. ``name``: for messages.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    format: str = "PNG"
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()
    name: str = "photo"

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def grey(self) -> bool:
        """Whether the photo has one channel."""
        return bool(self.pixels.shape[2] == 1)

    def tensor(self, rows: slice = slice(None)) -> Tensor:
        """These rows as (3, h, W), float32, 0…1; grey is repeated.

        Only these rows are converted, so that a large photo never needs a whole copy in float.
        """
        part = self.pixels[rows]
        result = np.empty((3, *part.shape[:2]), dtype=np.float32)
        for channel in range(3):
            source = part[..., min(channel, part.shape[2] - 1)]
            np.divide(source, np.float32(white(part.dtype)), out=result[channel])
        return torch.from_numpy(result)

    def stripped(self) -> "Photo":
        """The photo without what its file says of it, but for the profile that its pixels are encoded in."""
        return replace(self, metadata=Metadata(icc=self.metadata.icc))

    def resized(self, pixels: Pixels) -> "Photo":
        """The photo with other pixels in place of its own, alpha left out."""
        return replace(self, pixels=pixels, alpha=None)
