"""Photos that are in memory already: NumPy arrays and torch tensors."""

import numpy as np
from torch import Tensor

from limpid.image.decoded import Decoded, finite_fractions, split_alpha


def decode(samples: np.ndarray | Tensor) -> Decoded:
    """Pixels of an array (H, W) or (H, W, C) or a tensor (C, H, W) or (1, C, H, W), C = 1…4, with alpha as the last of 2 or 4.

    uint8 and uint16 are kept; fractions 0…1 become float32, other scales as in ``finite_fractions``; bool becomes 0 and 255.
    Raises ValueError for anything else.
    """
    if isinstance(samples, Tensor):
        samples = _channels_last(samples)
    if samples.ndim not in (2, 3) or 0 in samples.shape:
        raise ValueError(f"an array of shape {samples.shape} is no photo; expected (H, W) or (H, W, 1 to 4)")
    notes: list[str] = []
    if samples.dtype == bool:
        samples = samples.astype(np.uint8) * 255
    elif samples.dtype.kind != "f" and samples.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"samples are {samples.dtype}; expected uint8, uint16 or fractions 0 to 1")
    pixels, alpha = split_alpha(samples)
    if samples.dtype.kind == "f":
        pixels = finite_fractions(pixels, notes)
        alpha = None if alpha is None else finite_fractions(alpha, notes)
    return Decoded(pixels=pixels.copy(), alpha=None if alpha is None else alpha.copy(), notes=notes)


def _channels_last(tensor: Tensor) -> np.ndarray:
    if tensor.ndim == 4 and tensor.shape[0] == 1:
        tensor = tensor[0]
    if tensor.ndim != 3 or not 1 <= tensor.shape[0] <= 4:
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} is no photo; expected (3, H, W) or (1, 3, H, W)")
    tensor = tensor.detach().cpu().permute(1, 2, 0)
    array: np.ndarray = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return array
