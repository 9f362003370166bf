"""HEIC and HEIF, as telephones write them, where the extra ``heif`` is installed; its wheels hold no encoder and no GPL code."""

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from limpid.image import cicp, isobmff
from limpid.image.decoded import Decoded, Header, check_size, divide, split_alpha
from limpid.image.heif_child import main_picture


def header(file: BinaryIO, *, name: str, max_pixels: int) -> Header:
    """Size and metadata of the main picture. Raises PhotoError for one that is too large, HeifError."""
    found = main_picture(_checked(file, name, max_pixels), decoded=False)
    width, height = (int(side) for side in found["size"])
    return Header(width=width, height=height, exif=_block(found, "exif"), xmp=_block(found, "xmp"), orientation=1)


def decode(file: BinaryIO, *, name: str, max_pixels: int) -> Decoded:
    """Decode the main picture, which the library turns upright; more than 8 bits become 16. Raises as ``header`` does."""
    found = main_picture(_checked(file, name, max_pixels), decoded=True)
    pixels, alpha = split_alpha(found["rows"])
    check_size(name, pixels.shape[1], pixels.shape[0], max_pixels)
    notes: list[str] = []
    if alpha is not None and found["premultiplied"]:
        notes.append("colours divided by the alpha they were multiplied with")
        pixels = divide(pixels, alpha)
    icc = _block(found, "icc_profile")
    if icc is None and "nclx" in found:
        primaries, transfer = (int(point) for point in found["nclx"])
        icc = cicp.profile_of(primaries, transfer, grey=pixels.shape[2] == 1, notes=notes)
    if found["others"]:
        notes.append("further pictures in the file (depth, gain map, series) dropped")
    exif, xmp = _block(found, "exif"), _block(found, "xmp")
    return Decoded(pixels=pixels, alpha=alpha, exif=exif, xmp=xmp, icc=icc, orientation=1, notes=notes)


def _checked(file: BinaryIO, name: str, max_pixels: int) -> bytes:
    """The file, none of whose pictures is too large."""
    data = file.read()
    for width, height in isobmff.sizes(data):  # the library says only what is left of a picture once it is cropped
        check_size(name, width, height, max_pixels)
    return data


def _block(found: Mapping[str, np.ndarray], name: str) -> bytes | None:
    return found[name].tobytes() if name in found else None
