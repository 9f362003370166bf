"""Supervised training: the network alone, against the truth.

Plays: the network, once per step. Losses: every term that compares layers or a whole scene. Order: forward, sum, done.
"""

from torch import nn

from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.image.batch import Batch
from limpid.training.objective import Objective, Tally
from limpid.training.player import separate


class Supervised:
    """The plain procedure; raises SettingError for terms that need a judge or a teacher."""

    def __init__(self, *, network: nn.Module, objective: Objective) -> None:
        self.players: dict[str, nn.Module] = {"network": network}
        self.objective = objective
        self.frozen: tuple[nn.Module, ...] = ()
        for takes, procedure in (("logits", "adversarial"), ("teacher", "distillation")):
            for term in objective.terms:
                if term.takes == takes:
                    raise SettingError(
                        f"the loss {term.label!r} belongs to the procedure {procedure}; supervised training has none"
                    )

    def turns(self, step: int, epoch: int) -> tuple[str, ...]:
        """The network, always."""
        return ("network",)

    def loss(self, player: str, batch: Batch, epoch: int) -> Tally:
        """All terms on the network's layers."""
        return self.objective(separate(self.players["network"], batch.input), batch, epoch)  # type: ignore[no-any-return]


ENTRY = Entry(build=Supervised, source="textbook")
