"""HEIC and HEIF, as telephones write them, where the extra ``heif`` is installed; its wheels hold no encoder and no GPL code."""

from typing import Any, BinaryIO

import numpy as np

from limpid.image import cicp, isobmff
from limpid.image.decoded import Decoded, Header, check_size, divide, split_alpha


def header(file: BinaryIO, *, name: str, max_pixels: int) -> Header:
    """Size and metadata of the main picture. Raises PhotoError for one that is too large, and what the library raises."""
    photo, _ = _opened(file, name, max_pixels)
    return Header(width=photo.size[0], height=photo.size[1], exif=photo.info.get("exif"), xmp=photo.info.get("xmp"), orientation=1)


def decode(file: BinaryIO, *, name: str, max_pixels: int) -> Decoded:
    """Decode the main picture, which the library turns upright; more than 8 bits become 16. Raises as ``header`` does."""
    photo, several = _opened(file, name, max_pixels)
    rows = np.asarray(photo)[:, : photo.size[0]]  # they may be longer than the photo is wide
    pixels, alpha = split_alpha(rows.copy())  # the library's own memory goes with the photo
    check_size(name, pixels.shape[1], pixels.shape[0], max_pixels)
    notes: list[str] = []
    if alpha is not None and photo.premultiplied_alpha:
        notes.append("colours divided by the alpha they were multiplied with")
        pixels = divide(pixels, alpha)
    info, icc = photo.info, photo.info.get("icc_profile")
    tag = info.get("nclx_profile")
    if not icc and tag:
        primaries, transfer = int(tag["color_primaries"]), int(tag["transfer_characteristics"])
        icc = cicp.profile_of(primaries, transfer, grey=pixels.shape[2] == 1, notes=notes)
    if several or info.get("depth_images") or info.get("aux"):
        notes.append("further pictures in the file (depth, gain map, series) dropped")
    return Decoded(pixels=pixels, alpha=alpha, exif=info.get("exif"), xmp=info.get("xmp"), icc=icc, orientation=1, notes=notes)


def _opened(file: BinaryIO, name: str, max_pixels: int) -> tuple[Any, bool]:
    """The main picture of a file, not yet decoded, and whether there are others."""
    from pi_heif import open_heif

    data = file.read()
    for width, height in isobmff.sizes(data):  # the library says only what is left of a picture once it is cropped
        check_size(name, width, height, max_pixels)
    photos = open_heif(data, convert_hdr_to_8bit=False)
    return photos[photos.primary_index], len(photos) > 1
