"""PNG: metadata from its chunks, 16 bits by OpenCV, everything else by Pillow; both see the bare picture only."""

from io import BytesIO
from typing import BinaryIO

import cv2
import numpy as np

from limpid.image import png_chunks, read_pillow
from limpid.image.decoded import Decoded, Described, Header, check_size, split_alpha
from limpid.layers.pixels import Pixels, white


def header(file: BinaryIO, *, name: str, max_pixels: int) -> Header:
    """Size and metadata of a PNG; its picture is skipped. Raises PhotoError for one that is too large."""
    found = _sized(file, name, max_pixels)
    file.seek(0)
    return Header(width=found.width, height=found.height, **vars(png_chunks.metadata(file)))


def frames(file: BinaryIO, *, name: str, max_pixels: int) -> int:
    """How many frames there are; of 16 bits, which animations hardly have, the first one alone is read."""
    found = _sized(file, name, max_pixels)
    file.seek(0)
    return 1 if found.depth == 16 else read_pillow.frames(file, name=name, format="PNG", max_pixels=max_pixels)


def decode(file: BinaryIO, *, name: str, max_pixels: int, fill: bool = False, frame: int | None = None) -> Decoded:
    """Decode a PNG, or one frame of an animation; 16 bits stay 16 bits.

    ``fill``: show what there is of a file that is cut short or damaged. Raises PhotoError for one that is too large,
    CutShortError, ValueError or what Pillow raises for damage.
    """
    found = _sized(file, name, max_pixels)
    file.seek(0)
    data = file.read()
    if frame:
        decoded = read_pillow.decode(BytesIO(data), name=name, format="PNG", max_pixels=max_pixels, frame=frame)
        return decoded.described(_without_note(png_chunks.metadata(BytesIO(data))))
    bare, key = png_chunks.picture(data, fill=fill)
    if found.depth == 16:
        pixels, alpha = _sixteen_bits(bare, grey=found.colour in (0, 4))
        decoded = Decoded(pixels=pixels, alpha=alpha)
    else:
        decoded = read_pillow.decode(BytesIO(bare), name=name, format="PNG", max_pixels=max_pixels)
    if key is not None and decoded.alpha is None:
        decoded.alpha = _transparent(decoded.pixels, key, found.depth)
        decoded.notes.append("transparent colour converted to an alpha channel")
    found_texts = png_chunks.metadata(BytesIO(data))
    return decoded.described(found_texts if frame is None else _without_note(found_texts))


def _without_note(found: Described) -> Described:
    """The same where nobody needs to hear that there are further frames."""
    found.notes = [note for note in found.notes if note != png_chunks.ANIMATED]
    return found


def _sized(file: BinaryIO, name: str, max_pixels: int) -> png_chunks.Header:
    found = png_chunks.header(file.read(png_chunks.HEADER_BYTES))
    check_size(name, found.width, found.height, max_pixels)
    return found


def _sixteen_bits(bare: bytes, *, grey: bool) -> tuple[Pixels, Pixels | None]:
    samples = cv2.imdecode(np.frombuffer(bare, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16:
        raise ValueError("its compressed data is broken")
    if samples.ndim == 2:
        return split_alpha(samples)
    if samples.shape[2] == 4:
        return split_alpha(samples[..., 2:] if grey else cv2.cvtColor(samples, cv2.COLOR_BGRA2RGBA))
    return split_alpha(samples[..., :1] if grey else cv2.cvtColor(samples, cv2.COLOR_BGR2RGB))


def _transparent(pixels: Pixels, key: tuple[int, ...], depth: int) -> Pixels:
    """Alpha (H, W): 0 where all channels have the values of ``key``, given in the ``depth`` of the file (section 11.3.1.1)."""
    top = white(pixels.dtype)
    seen = [value * top // ((1 << depth) - 1) for value in key]
    return np.where((pixels == np.array(seen, dtype=pixels.dtype)).all(axis=2), 0, top).astype(pixels.dtype)
