"""PNG: metadata from its chunks, 16 bits by OpenCV, everything else by Pillow; both see the bare picture only."""

from io import BytesIO
from typing import BinaryIO

import cv2
import numpy as np

from limpid.image import png_chunks, read_pillow
from limpid.image.decoded import Decoded, check_size, split_alpha
from limpid.layers.pixels import Pixels


def decode(file: BinaryIO, *, name: str, max_pixels: int, fill: bool = False) -> Decoded:
    """Decode a PNG; 16 bits stay 16 bits.

    ``fill``: show what there is of a file that is cut short or damaged. Raises PhotoError for one that is too large,
    CutShortError, ValueError or what Pillow raises for damage.
    """
    header = png_chunks.header(file.read(png_chunks.HEADER_BYTES))
    check_size(name, header.width, header.height, max_pixels)
    file.seek(0)
    data = file.read()
    bare = png_chunks.picture(data, fill=fill)
    if header.depth == 16:
        pixels, alpha = _sixteen_bits(bare, grey=header.colour in (0, 4))
        decoded = Decoded(pixels=pixels, alpha=alpha)
    else:
        decoded = read_pillow.decode(BytesIO(bare), name=name, format="PNG", max_pixels=max_pixels)
    kept, animated = png_chunks.metadata(data)
    if animated:
        decoded.notes.append("first frame of an animation")
    decoded.exif, decoded.xmp, decoded.icc, decoded.dpi = kept.exif, kept.xmp, kept.icc, kept.dpi
    return decoded


def _sixteen_bits(bare: bytes, *, grey: bool) -> tuple[Pixels, Pixels | None]:
    samples = cv2.imdecode(np.frombuffer(bare, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16:
        raise ValueError("its compressed data is broken")
    if samples.ndim == 2:
        return split_alpha(samples)
    if samples.shape[2] == 4:
        return split_alpha(samples[..., 2:] if grey else cv2.cvtColor(samples, cv2.COLOR_BGRA2RGBA))
    return split_alpha(samples[..., :1] if grey else cv2.cvtColor(samples, cv2.COLOR_BGR2RGB))
