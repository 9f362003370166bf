"""One minus the structural similarity over several scales."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.errors import SettingError, ShapeError
from limpid.losses._structure import SIGMA, similarity, window_size

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, finest first, as found by experiment with people."""

FLOOR = 1e-6
"""Least similarity of a scale: fractional powers of less have no finite slope, and of negative values none at all."""


def ms_ssim(estimate: Tensor, target: Tensor, *, weights: tuple[float, ...] = WEIGHTS, sigma: float = SIGMA) -> Tensor:
    """1 − mean over images of SSIM_N^w_N · Π_{i<N} cs_i^w_i, where cs_i is the contrast-structure part at 1/2^(i−1) of the size.

    Two (B, C, H, W), 1 = full scale; sides at least 11·2^(N−1), 176 for five scales. Returns a scalar, 0…1, 0 for equal images.
    Raises ShapeError. Source: Wang et al., "Multiscale structural similarity", Asilomar 2003.
    """
    least = window_size(sigma) * 2 ** (len(weights) - 1)
    if min(estimate.shape[-2:]) < least:
        height, width = estimate.shape[-2:]
        raise ShapeError(
            f"{len(weights)} scales need sides of {least} pixels; got {height}×{width}: crop larger or give fewer weights"
        )
    total = torch.ones(len(estimate), dtype=estimate.dtype, device=estimate.device)
    for scale, weight in enumerate(weights, 1):
        whole, contrast = similarity(estimate, target, sigma)
        total = total * (whole if scale == len(weights) else contrast).clamp(min=FLOOR) ** weight
        if scale < len(weights):
            estimate, target = F.avg_pool2d(estimate, 2), F.avg_pool2d(target, 2)
    return 1 - total.mean()


class MsSsim(nn.Module):
    """``ms_ssim`` as a module; ``weights``: exponents of the scales, ``sigma``: as in ``ssim``. Raises SettingError."""

    def __init__(self, *, weights: tuple[float, ...] = WEIGHTS, sigma: float = SIGMA) -> None:
        super().__init__()
        if not weights or min(weights) < 0 or sigma <= 0:
            raise SettingError(f"weights must be one or more numbers ≥ 0 and sigma positive; got {weights} and {sigma}")
        self.weights, self.sigma = weights, sigma

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        return ms_ssim(estimate, target, weights=self.weights, sigma=self.sigma)


ENTRY = LossEntry(build=MsSsim, takes="layer", source="Wang et al., Asilomar 2003")
