"""Mean absolute difference."""

from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.losses._check import check_pair


def l1(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean of |x − y| over all elements.

    Two (B, C, H, W), any range. Returns a scalar. Raises ShapeError when they differ in shape.
    """
    check_pair(estimate, target)
    return (estimate - target).abs().mean()


class L1(nn.Module):
    """``l1`` as a module."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        return l1(estimate, target)


ENTRY = LossEntry(build=L1, takes="layer", source="textbook")
