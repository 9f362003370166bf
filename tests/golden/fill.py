"""Deterministic weights for the golden cases: they depend on names and shapes alone."""

import zlib

import numpy as np
import torch


def fill_tensor(name: str, value: torch.Tensor) -> torch.Tensor:
    """A tensor of the shape and dtype of ``value``; integers (counters) are returned unchanged.

    Convolution-like weights (4-D and more) are N(0, 2 / fan_in), other matrices N(0, 1 / fan_in),
    vectors and scalars named ``*weight``, ``*.w0``, ``*.scale`` or ``*.gamma`` are 1 + 0.1 N(0, 1), ``*running_var``
    are 0.5 + |N(0, 1)|, all other vectors and scalars 0.1 N(0, 1).
    """
    if not value.is_floating_point():
        return value.clone()
    normal = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).standard_normal(tuple(value.shape))
    fan_in = int(np.prod(value.shape[1:])) if value.ndim >= 2 else 1
    if name.endswith("running_var"):
        filled = 0.5 + np.abs(normal)
    elif value.ndim >= 4 and fan_in > 1:
        filled = normal * np.sqrt(2.0 / fan_in)
    elif value.ndim >= 2 and fan_in > 1:
        filled = normal / np.sqrt(fan_in)
    elif name.endswith(("weight", ".w0", ".scale", ".gamma")):
        filled = 1.0 + 0.1 * normal
    else:
        filled = 0.1 * normal
    return torch.from_numpy(np.asarray(filled, dtype=np.float32)).to(value.dtype)


def fill_state_dict(state_dict: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Fill every entry of a state dict."""
    return {key: fill_tensor(key, value) for key, value in state_dict.items()}
