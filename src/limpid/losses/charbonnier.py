"""A mean absolute difference that is smooth at zero."""

from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.losses._check import check_pair


def charbonnier(estimate: Tensor, target: Tensor, *, epsilon: float = 1e-3) -> Tensor:
    """Mean of √((x − y)² + ε²) over all elements.

    Two (B, C, H, W), any range; ``epsilon`` is in units of full scale (1 = white). Returns a scalar, at least ``epsilon``.
    Raises ShapeError when they differ in shape. Source: Charbonnier et al., ICIP 1994.
    """
    check_pair(estimate, target)
    return (estimate - target).square().add(epsilon**2).sqrt().mean()


class Charbonnier(nn.Module):
    """``charbonnier`` as a module; ``epsilon``: below which differences count as squares, positive. Raises SettingError."""

    def __init__(self, *, epsilon: float = 1e-3) -> None:
        super().__init__()
        if epsilon <= 0:
            raise SettingError(f"epsilon must be positive, it keeps the slope finite at zero; got {epsilon}")
        self.epsilon = epsilon

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        return charbonnier(estimate, target, epsilon=self.epsilon)


ENTRY = LossEntry(build=Charbonnier, takes="layer", source="Charbonnier et al., ICIP 1994")
