"""PPM, PGM and PBM, the bare pixels of Netpbm, in text and in bytes, with 1 to 16 bits (its manuals ppm, pgm and pbm)."""

import re
from typing import BinaryIO

import numpy as np

from limpid.image.decoded import CutShortError, Decoded, Header, check_size
from limpid.layers.pixels import Pixels

_LONGEST = 1 << 12  # of a header, comments included
_BITS, _COLOUR, _TEXT = (b"P1", b"P4"), (b"P3", b"P6"), (b"P1", b"P2", b"P3")
_SPACE = rb"(?:\s|#[^\n]*\n)"
_NUMBER = re.compile(_SPACE + rb"+(\d{1,9})")


def header(file: BinaryIO, *, name: str, max_pixels: int) -> Header:
    """Size of a PPM. Raises PhotoError for one that is too large, ValueError for a header that is none."""
    _, (width, height, _), _ = _head(file, name, max_pixels)
    return Header(width=width, height=height)


def decode(file: BinaryIO, *, name: str, max_pixels: int) -> Decoded:
    """Decode the first picture; values of up to 255 become 8 bits, larger ones 16. Raises as ``header`` does, and CutShortError."""
    kind, (width, height, top), start = _head(file, name, max_pixels)
    shape = (height, width, 3 if kind in _COLOUR else 1)
    file.seek(start)
    samples = (_bits if kind in _BITS else _values)(file.read(), shape, top, text=kind in _TEXT)
    return Decoded(pixels=_scaled(samples, top).reshape(shape))


def _head(file: BinaryIO, name: str, max_pixels: int) -> tuple[bytes, tuple[int, int, int], int]:
    """Kind, (width, height, largest value), and where the pixels start."""
    head = file.read(_LONGEST)
    kind, at, numbers = head[:2], 2, []
    for _ in range(2 if kind in _BITS else 3):
        found = _NUMBER.match(head, at)
        if found is None:
            raise ValueError("its header is broken")
        numbers.append(int(found[1]))
        at = found.end()
    width, height, top = numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 1
    if not 1 <= top <= 65535:
        raise ValueError(f"its largest value is {top}, expected 1 to 65535")
    check_size(name, width, height, max_pixels)
    return kind, (width, height, top), at + 1  # one white space follows


def _bits(content: bytes, shape: tuple[int, int, int], top: int, *, text: bool) -> np.ndarray:
    """Bits, of which 1 is black; in bytes, each row starts a new one."""
    height, width, _ = shape
    if text:
        digits = np.frombuffer(re.sub(rb"#[^\n]*|\s+", b"", content), np.uint8)[: height * width]
        _check_whole(len(digits), height * width)
        if not np.isin(digits, (48, 49)).all():
            raise ValueError("its bits are neither 0 nor 1")
        return 49 - digits
    row = (width + 7) // 8
    _check_whole(len(content), row * height)
    packed = np.frombuffer(content, np.uint8, row * height).reshape(height, row)
    return 1 - np.unpackbits(packed, axis=1, count=width)


def _values(content: bytes, shape: tuple[int, int, int], top: int, *, text: bool) -> np.ndarray:
    count = int(np.prod(shape))
    if text:
        samples = np.fromstring(re.sub(rb"#[^\n]*", b"", content), np.int64, sep=" ")[:count]
        _check_whole(len(samples), count)
    else:
        depth = np.dtype(np.uint8 if top < 256 else ">u2")
        _check_whole(len(content), count * depth.itemsize)
        samples = np.frombuffer(content, depth, count)
    if samples.min() < 0 or samples.max() > top:
        raise ValueError(f"its samples run from {samples.min()} to {samples.max()}, beyond the 0…{top} of its header")
    return samples


def _check_whole(found: int, needed: int) -> None:
    if found < needed:
        raise CutShortError(fillable=False)


def _scaled(samples: np.ndarray, top: int) -> Pixels:
    full = 255 if top < 256 else 65535
    if top == full:
        return samples.astype(np.uint8 if full == 255 else np.uint16)
    values = (samples.astype(np.float64) * (full / top)).round()
    return values.astype(np.uint8 if full == 255 else np.uint16)
