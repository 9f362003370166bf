"""Sets of blur kernels on disk: .npz, MATLAB .mat (v5 and v7.3) and folders of PNG."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from limpid.errors import DataError, MissingExtraError
from limpid.files import ZIP_FAULTS, is_special

_VARIABLE = "kernels"


def read_kernels(path: Path) -> list[np.ndarray]:
    """All kernels of a file or folder, in their order, each (h, w), float64, divided by its sum.

    ``.npz``: each array is a kernel, or a stack (K, h, w); ``.mat``: the variable ``kernels``, or the only one there is, a cell
    array of matrices of any sizes, a stack (h, w, K) or one matrix; a folder: its .png files by name, grey values linear.
    Raises DataError for anything else and for kernels that are empty, negative or not finite, and MissingExtraError when a
    v7.3 file meets an installation without h5py.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; expected a kernel set: .npz, .mat or a folder of .png")
    if is_special(path) or not (path.is_dir() or path.suffix.lower() in _READERS):
        raise DataError(f"{path} is no kernel set; expected .npz, .mat or a folder of .png")
    raw = list(_pngs(path) if path.is_dir() else _READERS[path.suffix.lower()](path))
    if not raw:
        raise DataError(f"{path} holds no kernel")
    return [_normalised(kernel, f"kernel {number} of {path}") for number, kernel in enumerate(raw)]


def _normalised(raw: Any, name: str) -> np.ndarray:
    given = np.asarray(raw)
    if given.ndim != 2 or given.dtype.kind not in "fiub":
        raise DataError(f"{name} must be a matrix of numbers; got {given.dtype} of shape {given.shape}")
    kernel: np.ndarray = given.astype(np.float64)
    total = kernel.sum()
    if not np.isfinite(total) or kernel.size == 0 or kernel.min() < 0 or total <= 0:
        raise DataError(f"{name} must hold finite values of at least 0, some above; its sum is {total:g}, repair or remove it")
    kernel /= total
    return kernel


def _npz(path: Path) -> Iterable[np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [archive[name] for name in archive.files]
    except (OSError, *ZIP_FAULTS) as failure:
        raise DataError(f"{path} cannot be read as .npz: {failure}") from failure
    for array in arrays:
        yield from array if array.ndim == 3 else [array]


def _mat(path: Path) -> Iterable[np.ndarray]:
    with path.open("rb") as file:
        head = file.read(520)
    if b"\x89HDF\r\n\x1a\n" in (head[:8], head[512:520]):
        return _mat_hdf5(path)
    return _mat_v5(path)


def _mat_v5(path: Path) -> Iterable[np.ndarray]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path)
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError) as failure:
        raise DataError(f"{path} cannot be read as a MATLAB v5 file: {failure}") from failure
    value = _only({name: item for name, item in content.items() if not name.startswith("__")}, path)
    if value.dtype == object:
        return list(value.ravel(order="F"))
    return list(np.moveaxis(value, -1, 0)) if value.ndim == 3 else [value]


def _mat_hdf5(path: Path) -> Iterable[np.ndarray]:
    try:
        import h5py
    except ImportError as missing:
        raise MissingExtraError("h5py", "train", f"reading {path.name}, a MATLAB v7.3 file,") from missing
    try:
        with h5py.File(path) as file:
            value = _only({name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}, path)
            if value.dtype == h5py.ref_dtype:  # a cell array; HDF5 holds every matrix transposed
                return [file[reference][()].T for reference in value[()].ravel()]
            matrix = value[()]
    except OSError as failure:
        raise DataError(f"{path} cannot be read as a MATLAB v7.3 file: {failure}") from failure
    return [layer.T for layer in matrix] if matrix.ndim == 3 else [matrix.T]


def _only(variables: dict[str, Any], path: Path) -> Any:
    if _VARIABLE in variables:
        return variables[_VARIABLE]
    if len(variables) != 1:
        raise DataError(f"{path} must hold a variable named {_VARIABLE!r}, or only one; it has {', '.join(variables) or 'none'}")
    return next(iter(variables.values()))


def _pngs(folder: Path) -> Iterable[np.ndarray]:
    import cv2

    for path in sorted(folder.glob("*.png")):
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
        if pixels is None:
            raise DataError(f"{path} cannot be decoded; repair or remove it")
        yield pixels


_READERS: dict[str, Callable[[Path], Iterable[np.ndarray]]] = {".npz": _npz, ".mat": _mat}
