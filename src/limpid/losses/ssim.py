"""One minus the structural similarity."""

from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.losses._structure import SIGMA, similarity


def ssim(estimate: Tensor, target: Tensor, *, sigma: float = SIGMA) -> Tensor:
    """1 − mean SSIM, Gaussian window of deviation ``sigma`` pixels.

    Two (B, C, H, W), 1 = full scale, sides at least 11 for the default window. Returns a scalar, 0…2, 0 for equal images.
    Raises ShapeError. Source: Wang et al., "Image quality assessment", IEEE TIP 2004; as a loss: Zhao et al., IEEE TCI 2017.
    """
    return 1 - similarity(estimate, target, sigma)[0].mean()


class Ssim(nn.Module):
    """``ssim`` as a module; ``sigma``: deviation of the window, pixels. Raises SettingError."""

    def __init__(self, *, sigma: float = SIGMA) -> None:
        super().__init__()
        if sigma <= 0:
            raise SettingError(f"sigma, the deviation of the window in pixels, must be positive; got {sigma}")
        self.sigma = sigma

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        return ssim(estimate, target, sigma=self.sigma)


ENTRY = LossEntry(build=Ssim, takes="layer", source="Wang et al., IEEE TIP 2004; Zhao et al., IEEE TCI 2017, arXiv:1511.08861")
