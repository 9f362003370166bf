"""How the networks of a training are optimised: the contract that every file of ``procedures/`` keeps, and what Fabric wraps."""

from collections.abc import Mapping
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from limpid.layers.batch import Batch
from limpid.layers.network import LayerNetwork, channels_last
from limpid.layers.separation import Separation
from limpid.training.objective import LossValue, Objective


class Procedure(Protocol):
    """Which networks are optimised, what each minimises, in which order.

    Entries build it from keyword settings of the recipe; ``network``, a ``FabricModule``, and ``objective`` are given. The loop
    replaces ``networks`` by their wrapped forms, then, in every step, optimises those that ``order`` names on the micro-batches of
    the step.
    """

    networks: dict[str, nn.Module]
    """``network`` always; ``discriminator`` in adversarial training."""

    objective: Objective

    needs_start: bool
    """Whether it fine-tunes a trained network, so that it refuses to begin from random weights."""

    one_forward: bool
    """Whether all turns of a step look at one forward: several processes cannot accumulate gradients over it."""

    frozen: tuple[nn.Module, ...]
    """Networks that take part without learning, such as a teacher; the loop puts them on the device."""

    notes: Mapping[str, str]
    """What every checkpoint of the run says of how it was trained, by name; empty where the recipe says it all."""

    def order(self, step: int, epoch: int) -> tuple[str, ...]:
        """Names of the networks that are optimised in a step, in order; the network once."""

    def loss(self, name: str, batch: Batch, epoch: int) -> LossValue:
        """What the network of that name minimises on a micro-batch."""


class FabricModule(nn.Module):
    """A separation network whose forward answers with plain dictionaries of layers and steps.

    Fabric converts and DDP walks through what a forward returns, and either would lose the steps of a ``Separation``.
    """

    def __init__(self, network: LayerNetwork) -> None:
        super().__init__()
        self.network = channels_last(network)

    def forward(self, photo: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """(B, 3, H, W), perhaps with a hint as a fourth channel → layers and steps by name; who takes no hints gets none."""
        if not self.network.hints:
            photo = photo[:, :3]
        layers: Separation = self.network(photo.contiguous(memory_format=torch.channels_last))
        return dict(layers), layers.steps


def separate(module: nn.Module, photo: Tensor) -> Separation:
    """The separation, float32 and unclamped, of a batch (B, 3, H, W) by a ``FabricModule``, wrapped by Fabric or not."""
    layers, steps = module(photo)
    return Separation(
        {name: layer.float() for name, layer in layers.items()}, steps={name: step.float() for name, step in steps.items()}
    )


def unwrapped(module: nn.Module) -> nn.Module:
    """The network or discriminator inside whatever ``FabricModule``, Fabric and DDP have put around it."""
    inner = cast(nn.Module, getattr(module, "module", module))
    return inner.network if isinstance(inner, FabricModule) else inner if inner is module else unwrapped(inner)
