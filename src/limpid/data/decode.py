"""The one place where data sets touch image files: fast 8-bit pixels for training, exact tensors for evaluation."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from torch import Tensor

from limpid.errors import PhotoError
from limpid.image.read import read
from limpid.image.suppress_warnings import quiet

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".tif", ".tiff", ".webp"})
"""Endings of files that count as photos, in lower case."""

_ORIENTATION = 0x0112  # EXIF tag; 5 to 8 lie on their side


def is_photo(path: Path) -> bool:
    """Whether a name looks like a photo: a known ending, not hidden."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def pixels(path: Path) -> np.ndarray:
    """A photo as an upright (H, W, 3) uint8 RGB array; 16 bits are cut to 8, alpha is dropped.

    Raises PhotoError for a file that is missing, cut short or no image.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PhotoError(f"{path} cannot be read: {error.strerror or error}") from error
    if not content or _cut_short(content):
        raise PhotoError(f"{path} is cut short ({len(content)} bytes); fetch it again or remove it")
    photo = _decoded(np.frombuffer(content, np.uint8))
    if photo is None:
        raise PhotoError(f"{path} cannot be decoded as a photo; fetch it again or remove it")
    return photo


def size(path: Path) -> tuple[int, int]:
    """Height and width of the upright photo in pixels, from the header alone.

    Raises PhotoError for a file that is missing or no image.
    """
    try:
        with quiet(), Image.open(path) as photo:
            width, height = photo.size
            return (width, height) if photo.getexif().get(_ORIENTATION, 1) >= 5 else (height, width)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoError(f"{path} cannot be read as a photo: {error}") from error


def tensor(path: Path) -> Tensor:
    """A photo as the image contract has it: (3, H, W), float32, 0…1, RGB, in full bit depth.

    Raises PhotoError for a file that cannot be decoded.
    """
    return read(path).tensor()


def _decoded(content: np.ndarray) -> np.ndarray | None:
    try:
        with quiet():
            photo: np.ndarray | None = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB)
            return photo
    except cv2.error:  # more pixels than OpenCV accepts
        return None


def _cut_short(content: bytes) -> bool:
    if content.startswith(b"\xff\xd8"):  # older OpenCV fills the rest of a cut JPEG with grey and says nothing
        return content.find(b"\xff\xd9", content.rfind(b"\xff\xda")) < 0
    return content.startswith(b"\x89PNG") and b"IEND" not in content[-64:]
