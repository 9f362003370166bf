"""Memory that decoding and encoding take beside the samples themselves, as measured by ``benchmarks/memory.py``."""

from collections.abc import Mapping

from limpid.image.photo import Photo

_DECODING: Mapping[str, float] = {
    "JPEG": 7,
    "PNG": 8.5,
    "WEBP": 15,
    "TIFF": 4,
    "BMP": 7,
    "AVIF": 13,
    "GIF": 9,
    "PPM": 3,
    "HEIF": 16,
}
_ENCODING: Mapping[str, float] = {"JPEG": 4, "PNG": 5, "WEBP": 11, "TIFF": 1, "BMP": 4, "AVIF": 42, "PPM": 3}
"""Bytes a pixel of 8 bits and three or four channels: copies in the libraries' own layout, buffers of encoders, the file itself.

HEIF is counted by its copies, those of the process that decodes it among them: nothing here writes a large one to measure.
"""


def decoding(photo: Photo) -> int:
    """Bytes that decoding took at its worst, the samples that it left included."""
    samples = photo.pixels.nbytes + (photo.alpha.nbytes if photo.alpha is not None else 0)
    return samples + _scaled(_DECODING[photo.format], photo)


def encoding(photo: Photo, format: str) -> int:
    """Bytes that encoding a layer like the photo takes at its worst, beside the layer."""
    return _scaled(_ENCODING[format], photo)


def _scaled(bytes_per_pixel: float, photo: Photo) -> int:
    return int(bytes_per_pixel * photo.pixels.itemsize * photo.height * photo.width)
