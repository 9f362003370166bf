"""Learned perceptual distance on the features of SqueezeNet 1.1, the smallest of the three."""

from limpid.catalogue import Entry
from limpid.metrics._lpips import Trunk, lpips, published
from limpid.metrics._measure import Metric


class Squeeze(Trunk):
    """The convolutions of SqueezeNet 1.1."""

    network = "squeeze"
    label = "LPIPS (squeeze)"
    smallest = 17
    memory = 280
    home = published("squeezenet1_1-b8a52dc0.pth")


def metric(*, backbone_weights: str = "pretrained") -> Metric:
    """LPIPS on SqueezeNet 1.1; (3, H, W) photos, 0…1, sides at least 17 px. At least 0, lower is better.

    ``backbone_weights``: ``pretrained`` (cache, else download), the path of torchvision's file or its folder, or ``none`` for a
    random network, which says so in its name. The formula is that of ``limpid.metrics._lpips.Lpips``.
    Raises WeightsError when the weights cannot be had, MissingExtraError without torchmetrics and torchvision.

    >>> import torch
    >>> photo = torch.linspace(0, 1, 3 * 48 * 48).reshape(3, 48, 48)
    >>> metric(backbone_weights="none")(photo, photo)
    0.0
    """
    return lpips(Squeeze, backbone_weights)


ENTRY = Entry(
    build=metric,
    source="Zhang, Isola, Efros, Shechtman & Wang, CVPR 2018, arXiv:1801.03924; heads v0.1 of torchmetrics",
    licence="BSD-2-Clause (heads), BSD-3-Clause (torchvision's weights)",
)
