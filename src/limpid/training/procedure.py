"""How the players of a training take turns: the contract that every file of ``procedures/`` keeps."""

from typing import Protocol

from torch import nn

from limpid.image.batch import Batch
from limpid.training.objective import Objective, Tally


class Procedure(Protocol):
    """Who plays, what each minimises, in which order.

    Entries build it from keyword settings of the recipe; ``network``, a ``Player``, and ``objective`` are given. The loop replaces
    ``players`` by their wrapped forms, then, in every step, lets each of ``turns`` minimise its ``loss`` over the
    micro-batches of the step.
    """

    players: dict[str, nn.Module]
    """``network`` always; ``judge`` in adversarial training."""

    objective: Objective

    frozen: tuple[nn.Module, ...]
    """Networks that take part without learning, such as a teacher; the loop puts them on the device."""

    def turns(self, step: int, epoch: int) -> tuple[str, ...]:
        """Players that are optimised in a step, in order; the network once, and no one else last without having judged it."""

    def loss(self, player: str, batch: Batch, epoch: int) -> Tally:
        """What ``player`` minimises on a micro-batch."""
