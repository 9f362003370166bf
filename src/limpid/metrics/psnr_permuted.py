"""Joint PSNR of all layers in their better order: for methods that cannot know which layer is which."""

from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.errors import ShapeError
from limpid.metrics._measure import Metric, check_photos
from limpid.metrics._permutation import best_permutation
from limpid.metrics.psnr import CAP
from limpid.metrics.psnr_joint import psnr_joint

_BANDS = 3  # of one layer


def psnr_permuted(estimate: Tensor, target: Tensor) -> float:
    """Mean ``psnr_joint`` over the layers of a photo, dB, in the order of the estimates that makes it largest.

    ``estimate``, ``target``: (3·N, H, W), 0…1, the N layers one after another. Never use it where the domains name the layers: it
    flatters. 0…100 dB, higher is better. Raises ShapeError when sizes differ or bands make no layers, DataError for NaN.

    >>> import torch
    >>> layers = torch.stack([torch.full((8, 8), value) for value in (0.1,) * 3 + (0.5,) * 3])
    >>> psnr_permuted(layers.roll(3, 0), layers)
    100.0
    """
    check_photos("PSNR of permuted layers", estimate, target)
    if target.shape[0] % _BANDS:
        raise ShapeError(f"layers of {_BANDS} bands each, one after another, are compared; got {tuple(target.shape)}")
    layers = target.shape[0] // _BANDS
    return best_permutation(estimate.chunk(layers), target.chunk(layers), psnr_joint)[0]


def metric() -> Metric:
    """PSNR in the better order."""
    return Metric(
        name="psnr_permuted",
        title="PSNR (better order)",
        compute=psnr_permuted,
        direction="higher",
        range=(0.0, CAP),
        unit="dB",
        digits=2,
        against="layers",
    )


ENTRY = MetricEntry(build=metric, source="Gandelsman, Shocher & Irani, CVPR 2019, arXiv:1812.00467 (Double-DIP)", against="layers")
