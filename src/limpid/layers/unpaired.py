"""Learning without pairs: what a network makes of photos and of samples of each layer's domain that belong to no photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation

Compared = Sequence[tuple[Tensor, Tensor]]
"""Estimates beside what they should be, of one shape each."""


@dataclass(frozen=True, kw_only=True)
class Translation:
    """Everything that the losses of training without pairs look at; a network fills what it has, the rest stays empty.

    ``layers``: those of the photos, (B, 3, H, W) each. ``fakes``: layer → images that a discriminator of its domain is to take for
    real, (B, 3, H, W) each. ``compared``: what should be equal, by the name of the constraint (``self``, ``backward``, ``cycle``,
    ``content``, ``style``). ``compositions``: sets of layers, in the task's order, each of which should compose the photos.
    ``features``: layer → what its encoder makes of the photos, fine to coarse; ``again``: the same of the layer that was made.
    ``codes``: layer → its style, taken from the photos, and the style of a sample, (B, C) each.
    """

    layers: Separation
    fakes: Mapping[str, Sequence[Tensor]]
    compared: Mapping[str, Compared] = field(default_factory=dict)
    compositions: Sequence[Mapping[str, Tensor]] = ()
    features: Mapping[str, Sequence[Tensor]] = field(default_factory=dict)
    again: Mapping[str, Sequence[Tensor]] = field(default_factory=dict)
    codes: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)


class UnpairedNetwork(LayerNetwork):
    """A network that can learn from photos and from samples of its layers that do not belong together."""

    def translate(self, photo: Tensor, samples: Mapping[str, Tensor], mixed: Tensor | None = None) -> Translation:
        """Photos and one batch of samples for each layer, (B, 3, H, W) each, 0…1 → what the losses look at.

        ``mixed``: what the samples compose, (B, 3, H, W), for the backward cycle; None where no loss asks for it. Random
        codes, where a network has any, are drawn by torch's own generator, which the loop seeds for every step.
        """
        raise NotImplementedError
