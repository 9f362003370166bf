"""Mean absolute difference."""

from torch import Tensor, nn

from limpid.catalogue import Entry


def l1(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean of |x − y| over all elements; equal shapes, any range. Returns a scalar."""
    return (estimate - target).abs().mean()


class L1(nn.Module):
    """``l1`` as a module."""

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        return l1(estimate, target)


ENTRY = Entry(build=L1, source="textbook")
