"""Supervised training: the network alone, against the truth.

Optimised: the network, once per step. Losses: every term that compares layers or a whole scene. Order: forward, sum, done.
"""

from collections.abc import Mapping

from torch import nn

from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.training.objective import LossValue, Objective
from limpid.training.procedure import separate


class Supervised:
    """The plain procedure; raises SettingError for terms that need a discriminator or a teacher."""

    needs_start = False
    one_forward = False

    def __init__(self, *, network: nn.Module, objective: Objective) -> None:
        self.networks: dict[str, nn.Module] = {"network": network}
        self.objective = objective
        self.frozen: tuple[nn.Module, ...] = ()
        self.notes: Mapping[str, str] = {}
        for takes, procedure in (("logits", "adversarial"), ("teacher", "distillation"), ("unpaired", "unsupervised")):
            for term in objective.terms:
                if term.takes == takes:
                    raise SettingError(
                        f"the loss {term.label!r} belongs to the procedure {procedure}; supervised training has none"
                    )

    def order(self, step: int, epoch: int) -> tuple[str, ...]:
        """The network, always."""
        return ("network",)

    def loss(self, name: str, batch: Batch, epoch: int) -> LossValue:
        """All terms on the network's layers."""
        value: LossValue = self.objective(separate(self.networks["network"], batch.seen), batch, epoch)
        return value


ENTRY = Entry(build=Supervised, source="textbook")
