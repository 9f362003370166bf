"""Writing a TIFF: uncompressed, 8 or 16 bits or fractions, with everything a photo's metadata holds.

The directory is laid out by Pillow, which nests the camera's directories as tifffile cannot; the pixels, which Pillow cannot
hold in 16 bits, follow strip by strip (TIFF 6.0, sections 3 to 8).
"""

from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from limpid.image.photo import Metadata
from limpid.layers.pixels import Pixels

EXIF, GPS = 0x8769, 0x8825
DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
"""What an EXIF block says of its photo outside its inner directories: description, camera, software, date, people."""

_START = b"II*\0\x08\0\0\0"
_LARGEST = 1 << 32
_STRIP = 1 << 20
_BYTE, _SHORT, _LONG, _UNDEFINED = 1, 3, 4, 7


def write(file: BinaryIO, pixels: Pixels, alpha: Pixels | None, kept: Metadata) -> None:
    """Write (H, W, C) pixels, and alpha (H, W) of the same depth, to an open file.

    Raises ValueError above 4 GiB, which the format cannot address.
    """
    height, width, colours = pixels.shape
    samples = colours + (alpha is not None)
    row = width * samples * pixels.itemsize
    if row * height + (1 << 24) > _LARGEST:
        raise ValueError(f"{row * height / 2**30:.1f} GiB are more than a TIFF holds")
    rows = max(1, _STRIP // row)
    tops = range(0, height, rows)
    tags = _layout(pixels, alpha is not None, rows, [row * (min(top + rows, height) - top) for top in tops])
    _describe(tags, kept)
    file.write(_START + tags.tobytes(len(_START)))
    for top in tops:
        strip = pixels[top : top + rows]
        if alpha is not None:
            strip = np.dstack([strip, alpha[top : top + rows]])
        file.write(strip.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes())


def _layout(pixels: Pixels, transparent: bool, rows: int, counts: list[int]) -> ImageFileDirectory_v2:
    height, width, colours = pixels.shape
    samples = colours + transparent
    tags = ImageFileDirectory_v2(_START)
    offsets = [sum(counts[:1]) * index for index in range(len(counts))]  # all strips but the last are of one size
    for tag, kind, value in (
        (256, _LONG, width),
        (257, _LONG, height),
        (258, _SHORT, (8 * pixels.itemsize,) * samples),
        (259, _SHORT, 1),  # no compression
        (262, _SHORT, 2 if colours == 3 else 1),  # RGB, or grey with black as 0
        (273, _LONG, tuple(offsets)),  # Pillow adds the length of the directory
        (274, _SHORT, 1),  # upright
        (277, _SHORT, samples),
        (278, _LONG, rows),
        (279, _LONG, tuple(counts)),
        (339, _SHORT, (3 if pixels.dtype.kind == "f" else 1,) * samples),
    ):
        _set(tags, tag, kind, value)
    if transparent:
        _set(tags, 338, _SHORT, 2)  # colours are not multiplied with the alpha
    return tags


def _describe(tags: ImageFileDirectory_v2, kept: Metadata) -> None:
    if kept.dpi:
        tags[282], tags[283] = kept.dpi
        _set(tags, 296, _SHORT, 2)  # per inch
    if kept.xmp:
        _set(tags, 700, _BYTE, kept.xmp)
    if kept.icc:
        _set(tags, 34675, _UNDEFINED, kept.icc)
    if kept.iptc:
        _set(tags, 33723, _UNDEFINED, kept.iptc)
    for tag, value in (directories(kept.exif) or {} if kept.exif else {}).items():
        tags[tag] = value


def directories(exif: bytes) -> dict[int, Any] | None:
    """What of an EXIF block a TIFF holds: tag → value, inner directories as dictionaries; None for one that cannot be laid out."""
    found = Image.Exif()
    try:
        found.load(exif)
        kept = {tag: found[tag] for tag in DESCRIPTIVE if tag in found}
        kept |= {directory: dict(fields) for directory in (EXIF, GPS) if (fields := found.get_ifd(directory))}
        tags = ImageFileDirectory_v2(_START)
        for tag, value in kept.items():
            tags[tag] = value
        tags.tobytes(len(_START))
    except Exception:  # noqa: BLE001 - a damaged block makes Pillow raise anything
        return None
    return kept


def _set(tags: ImageFileDirectory_v2, tag: int, kind: int, value: Any) -> None:
    tags.tagtype[tag] = kind
    tags[tag] = value
