"""Learned perceptual distance on the features of SqueezeNet 1.1, the smallest of the three."""

from limpid.metrics._lpips import Trunk, entry, published


class Squeeze(Trunk):
    """The convolutions of SqueezeNet 1.1.

    >>> import torch
    >>> photo = torch.linspace(0, 1, 3 * 48 * 48).reshape(3, 48, 48)
    >>> ENTRY.build(backbone_weights="none")(photo, photo)
    0.0
    """

    network = "squeeze"
    label = "LPIPS (squeeze)"
    smallest = 17
    memory = 280
    home = published("squeezenet1_1-b8a52dc0.pth")


ENTRY = entry(Squeeze)
