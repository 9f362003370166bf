"""What losses of one kind have in common, beyond those that compare a layer with its target."""

from typing import Protocol

from torch import Tensor, nn


class SceneLoss(nn.Module):
    """A loss of all layers and the batch: its forward takes a ``Separation`` and a ``Batch`` and gives a scalar."""

    needs: tuple[str, ...] = ()
    """Layers whose truth must be known."""


class LogitsLoss(Protocol):
    """A loss of what a discriminator says of truth and estimates, (B, …) each: what either side minimises, a scalar.

    ``compares``: whether ``generator`` looks at the logits of the truth; ``penalty``: factor of the penalty on the gradient of the
    discriminator, which its owner computes.
    """

    compares: bool
    penalty: float

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's side; ``fake`` comes from detached estimates."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The network's side."""


class UnpairedLoss(nn.Module):
    """A loss of training without pairs: its forward takes a ``Translation`` and a ``Batch`` and gives a scalar.

    ``backward``: whether it looks at mixtures that are composed from samples, which the network must then be shown.
    """

    backward = False
