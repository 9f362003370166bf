"""A network as the training loop plays it: Fabric and DDP see plain dictionaries go in and out, procedures see separations."""

from typing import cast

import torch
from torch import Tensor, nn

from limpid.image.separation import Separation


class Player(nn.Module):
    """A separation network whose forward answers with plain dictionaries of layers and steps.

    Fabric converts and DDP walks through what a forward returns, and either would lose the steps of a ``Separation``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, photo: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """(B, 3, H, W) → layers and steps by name."""
        layers: Separation = self.network(photo.contiguous(memory_format=torch.channels_last))
        return dict(layers), layers.steps


def separate(player: nn.Module, photo: Tensor) -> Separation:
    """The separation, float32 and unclamped, of a batch (B, 3, H, W) by a ``Player``, wrapped by Fabric or not."""
    layers, steps = player(photo)
    return Separation(
        {name: layer.float() for name, layer in layers.items()}, steps={name: step.float() for name, step in steps.items()}
    )


def bare(module: nn.Module) -> nn.Module:
    """The network itself, or the judge, inside whatever ``Player``, Fabric and DDP have put around it."""
    inner = cast(nn.Module, getattr(module, "module", module))
    return inner.network if isinstance(inner, Player) else inner if inner is module else bare(inner)
