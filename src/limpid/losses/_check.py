"""What every comparison of two images asks for: broadcasting would hide a mistake."""

from torch import Tensor

from limpid.errors import ShapeError


def check_pair(estimate: Tensor, target: Tensor) -> None:
    """Raise ShapeError unless both are (B, C, H, W) and equal in shape."""
    if estimate.shape != target.shape or estimate.ndim != 4:
        raise ShapeError(
            f"a loss compares two (B, C, H, W) tensors of one shape; got {tuple(estimate.shape)} and {tuple(target.shape)}"
        )
