"""How data sets see photos: decoded as everywhere else, as 8-bit pixels for training or exact tensors for evaluation."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from torch import Tensor

from limpid.errors import PhotoError, printable
from limpid.image import read
from limpid.image.decoded import CutShortError
from limpid.layers.pixels import change_depth


def pixels(path: Path) -> np.ndarray:
    """A photo as an upright (H, W, 3) uint8 RGB array; deeper ones are rounded to 8 bits, alpha is dropped, grey is repeated.

    Raises PhotoError for a file that is missing, cut short, too large or no photo.
    """
    with _in_words_of_a_set(path):
        photo = change_depth(read.read(path).pixels, np.uint8)
    if photo.shape[2] == 1:
        return np.repeat(photo, 3, axis=2)
    return photo if photo.flags.writeable else photo.copy()  # torch takes no array that it may not write to


def size(path: Path) -> tuple[int, int]:
    """Height and width of what ``pixels`` gives, from the header alone; raises PhotoError as ``pixels`` does."""
    with _in_words_of_a_set(path):
        return read.size(path)


def tensor(path: Path) -> Tensor:
    """A photo as the image contract has it: (3, H, W), float32, 0…1, RGB, in full bit depth.

    Raises PhotoError for a file that cannot be decoded.
    """
    return read.read(path).tensor()


@contextmanager
def _in_words_of_a_set(path: Path) -> Iterator[None]:
    """What one can do about a broken photo of a data set is another thing than with a photo of one's own."""
    try:
        yield
    except PhotoError as error:
        if isinstance(error.__cause__, OSError) and not path.is_file():
            raise PhotoError(f"{path} cannot be read: {error.__cause__.strerror or error.__cause__}") from error
        if isinstance(error.__cause__, CutShortError) or not path.stat().st_size:
            raise PhotoError(f"{path} is cut short ({path.stat().st_size} bytes); fetch it again or remove it") from error
        reason = str(error).removeprefix(f"{printable(path)}: ").partition("; ")[0]
        raise PhotoError(f"{path} cannot be decoded as a photo ({reason}); fetch it again or remove it") from error
