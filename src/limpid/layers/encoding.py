"""Between sRGB-encoded values and linear light."""

import torch
from torch import Tensor


def to_linear(encoded: Tensor) -> Tensor:
    """sRGB-encoded values 0…1 to linear light 0…1, any shape (IEC 61966-2-1)."""
    return torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded.clamp(min=0) + 0.055) / 1.055) ** 2.4)


def to_encoded(linear: Tensor) -> Tensor:
    """Linear light 0…1 to sRGB-encoded values 0…1, any shape (IEC 61966-2-1); a finite slope everywhere."""
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)
