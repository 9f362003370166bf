"""Photos in MATLAB files, as the benchmarks of denoising ship them, written out as PNG."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from limpid.errors import DataError, MissingExtraError

Files = Mapping[str, Path]
"""Path below a download → file."""

_PHOTO = re.compile(r"(?:^|/)images_srgb/(\d{4})\.mat$")


def stacked_photos(*names: str) -> Callable[[Files, Path], Files]:
    """What writes out ``NAME.mat``, v5, whose variable ``NAME`` is (photos, blocks, H, W, 3) uint8, as ``NAME/0001_01.png`` ….

    Files of other names stay as they are. What is returned raises DataError for a file that holds something else.
    """

    def unpack(files: Files, scratch: Path) -> Files:
        found = dict(files)
        for file, path in files.items():
            name = path.stem
            if path.suffix.lower() == ".mat" and name in names:
                del found[file]
                for (photo, block), pixels in _stack(path, name):
                    place = f"{name}/{photo + 1:04d}_{block + 1:02d}.png"
                    found[place] = _written(scratch / place, pixels)
        return found

    return unpack


def boxed_photos(files: Files, scratch: Path) -> Files:
    """Write out the boxes that ``info.mat`` names of ``images_srgb/0001.mat`` …, v7.3, as ``images_srgb/0001_01.png`` …, 16 bits.

    A photo is ``InoisySRGB``, (H, W, 3), 0…1; its boxes are the matrix ``info.boundingboxes``, rows of top, left, bottom, right,
    from 1 on and inclusive. Files without MATLAB photos stay as they are. Raises DataError for what is otherwise, and
    MissingExtraError without h5py.
    """
    photos = {match[1]: path for file, path in files.items() if (match := _PHOTO.search(file))}
    info = next((path for path in files.values() if path.name == "info.mat"), None)
    if not photos:
        return files
    if info is None:
        raise DataError("RAW has images_srgb/ but no info.mat, which names the patches of each photo; get it from the same page")
    found = {file: path for file, path in files.items() if path not in (*photos.values(), info)}
    for name, path in sorted(photos.items()):
        noisy = (_hdf5(path, lambda file: file["InoisySRGB"][()].T) * 65535 + 0.5).clip(0, 65535).astype(np.uint16)
        boxes = _hdf5(info, partial(_boxes, number=int(name)))
        for place, (top, left, bottom, right) in enumerate(boxes.astype(int)):
            patch = f"images_srgb/{name}_{place + 1:02d}.png"
            found[patch] = _written(scratch / patch, noisy[top - 1 : bottom, left - 1 : right])
    return found


def _stack(path: Path, name: str) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        stack = loadmat(path, variable_names=[name]).get(name)
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError) as failure:
        raise DataError(f"{path} cannot be read as a MATLAB v5 file: {failure}") from failure
    if stack is None or stack.ndim != 5 or stack.shape[-1] != 3 or stack.dtype != np.uint8:
        held = "no such variable" if stack is None else f"{stack.dtype} of shape {stack.shape}"
        raise DataError(f"{path} must hold {name} as (photos, blocks, H, W, 3) of 8 bits; it has {held}")
    for photo, block in np.ndindex(*stack.shape[:2]):
        yield (photo, block), stack[photo, block]


def _boxes(file: Any, number: int) -> Any:
    """The patches of the photo ``number``, counted from 1, in an open ``info.mat``."""
    return file[file["info"]["boundingboxes"][()].ravel()[number - 1]][()].T


def _hdf5(path: Path, read: Callable[[Any], np.ndarray]) -> np.ndarray:
    try:
        import h5py
    except ImportError as missing:
        raise MissingExtraError("h5py", "train", f"reading {path.name}, a MATLAB v7.3 file,") from missing
    try:
        with h5py.File(path) as file:
            return read(file)
    except (OSError, KeyError, IndexError, ValueError, TypeError) as failure:
        raise DataError(f"{path} cannot be read as a MATLAB v7.3 file of this set: {failure}") from failure


def _written(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes())
    return path
