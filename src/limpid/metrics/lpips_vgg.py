"""Learned perceptual distance on the features of VGG-16."""

from limpid.metrics._lpips import Trunk, entry, published


class Vgg(Trunk):
    """The convolutions of VGG-16.

    >>> import torch
    >>> photo = torch.linspace(0, 1, 3 * 48 * 48).reshape(3, 48, 48)
    >>> ENTRY.build(backbone_weights="none")(photo, photo)
    0.0
    """

    network = "vgg"
    label = "LPIPS (vgg)"
    smallest = 16
    memory = 1000
    home = published("vgg16-397923af.pth")


ENTRY = entry(Vgg)
