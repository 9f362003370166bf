"""Mean squared difference."""

from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.losses._check import check_pair


def mse(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean of (x − y)² over all elements.

    Two (B, C, H, W), any range. Returns a scalar. Raises ShapeError when they differ in shape.
    """
    check_pair(estimate, target)
    return (estimate - target).square().mean()


class Mse(nn.Module):
    """``mse`` as a module."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        return mse(estimate, target)


ENTRY = LossEntry(build=Mse, takes="layer", source="textbook")
