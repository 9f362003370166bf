"""Mean absolute difference of image gradients: edges must end up in the right layer."""

from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.losses._check import check_pair


def gradient(estimate: Tensor, target: Tensor) -> Tensor:
    """Sum over x and y of the mean of |∇x − ∇y|, forward differences, no padding.

    Two (B, C, H, W), any range, both sides at least 2. Returns a scalar. Raises ShapeError when they differ in shape.
    Source: Wei et al. (ERRNet), CVPR 2019, arXiv:1904.00637, eq. 4.
    """
    check_pair(estimate, target)
    horizontal = (estimate.diff(dim=-1) - target.diff(dim=-1)).abs().mean()
    vertical = (estimate.diff(dim=-2) - target.diff(dim=-2)).abs().mean()
    return horizontal + vertical


class Gradient(nn.Module):
    """``gradient`` as a module."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        return gradient(estimate, target)


ENTRY = LossEntry(build=Gradient, takes="layer", source="Wei et al., CVPR 2019, arXiv:1904.00637")
