"""Which way up a photo was stored, and its pixels and metadata once it is turned: the one reader of orientation."""

import numpy as np

from limpid.image import exif, icc, xmp
from limpid.image.decoded import Decoded, Described, Header
from limpid.image.photo import Metadata
from limpid.layers.pixels import Pixels


def orientation_of(found: Described) -> int:
    """1…8: what the decoder knows, else what EXIF says, else XMP, else 1."""
    said = (
        found.orientation,
        exif.orientation_of(found.exif) if found.exif else None,
        xmp.orientation_of(found.xmp) if found.xmp else None,
    )
    return next((number for number in said if number is not None and 1 <= number <= 8), 1)


def on_its_side(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation >= 5


def size_of(found: Header) -> tuple[int, int]:
    """Height and width of the photo turned upright, pixels."""
    size = found.height, found.width
    return size[::-1] if on_its_side(orientation_of(found)) else size


def turned(samples: Pixels, orientation: int) -> Pixels:
    """Samples (H, W, …) stored in one of the eight orientations, as they are to be seen; C-contiguous."""
    if on_its_side(orientation):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return np.ascontiguousarray(samples)


def metadata(decoded: Decoded, orientation: int) -> tuple[Metadata, tuple[str, ...]]:
    """Such metadata as is sound and true of the photo turned upright and alone; the notes of the decoder and those on the rest."""
    notes = list(decoded.notes)
    block = _exif(decoded.exif, orientation, notes) if decoded.exif else None
    packet = _xmp(decoded.xmp, notes) if decoded.xmp else None
    profile = decoded.icc
    if profile and not icc.fits(profile, grey=decoded.pixels.shape[2] == 1):
        notes.append("ICC profile dropped, as it is broken or describes other pixels")
        profile = None
    dpi = decoded.dpi[::-1] if decoded.dpi and on_its_side(orientation) else decoded.dpi
    return Metadata(exif=block, xmp=packet, icc=profile, iptc=decoded.iptc, dpi=dpi), tuple(notes)


def _exif(block: bytes, orientation: int, notes: list[str]) -> bytes | None:
    try:
        mended, faults = exif.upright(block, orientation)
    except exif.BrokenExifError as fault:
        notes.append(f"broken EXIF dropped ({fault})")
        return None
    if faults:
        notes.append(f"EXIF is damaged and kept as found ({faults[0]})")
    return mended


def _xmp(packet: bytes, notes: list[str]) -> bytes | None:
    mended, gone = xmp.without_claims(xmp.upright(packet))
    if gone:
        what = "XMP dropped, as it speaks of" if mended is None else "XMP speaks no more of"
        notes.append(f"{what} {', '.join(gone)}, which the result does not hold")
    return mended
