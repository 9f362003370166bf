"""Learned perceptual distance on the features of AlexNet: the one that papers print."""

from limpid.metrics._lpips import Trunk, entry, published


class Alex(Trunk):
    """The convolutions of AlexNet.

    >>> import torch
    >>> photo = torch.linspace(0, 1, 3 * 48 * 48).reshape(3, 48, 48)
    >>> ENTRY.build(backbone_weights="none")(photo, photo)
    0.0
    """

    network = "alex"
    label = "LPIPS (alex)"
    smallest = 31
    memory = 80
    home = published("alexnet-owt-7be5be79.pth")


ENTRY = entry(Alex)
