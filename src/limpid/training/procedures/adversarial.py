"""Adversarial training: a judge learns to tell estimates from photographs, the network to please it.

Plays: the judge, then the network, or the other way round. Losses: the judge minimises its half of the adversarial term; the
network all other terms plus its own half. Order: as the setting says; while the term's weight is 0 (warm-up) the judge sits out.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from limpid.blocks.discriminators import ConditionalPatch, Patch, Whole
from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.image.batch import Batch
from limpid.training.objective import Objective, Tally
from limpid.training.player import separate

JUDGES: dict[str, Callable[[], nn.Module]] = {
    "conditional_patch": ConditionalPatch,
    "patch": Patch,
    "patch_wide": lambda: Patch(padding=2),
    "whole": Whole,
}
"""Name in recipes → judge: Zhang 2018's and PINTO0309's, IBCLN's, ERRNet's ``disc_patch``, ERRNet's ``disc_vgg``."""


class Adversarial:
    """A judge of one layer, alternating with the network.

    ``judge``: see ``JUDGES``. ``judge_first``: it is optimised before the network (Zhang et al., CVPR 2018; ERRNet) or after it,
    on the same estimates (IBCLN). ``judge_every``: in every so many steps (PINTO0309 and Zhang: 2). ``layer``: what it judges.
    ``needs_start``: refuse to begin from random weights, without ``--init``.
    Raises SettingError unless the losses hold exactly one adversarial term.
    """

    def __init__(
        self,
        *,
        network: nn.Module,
        objective: Objective,
        judge: Literal["conditional_patch", "patch", "patch_wide", "whole"] = "conditional_patch",
        judge_first: bool = True,
        judge_every: int = 1,
        layer: str = "transmission",
        needs_start: bool = False,
    ) -> None:
        terms = objective.others("logits")
        if len(terms) != 1 or objective.others("teacher"):
            raise SettingError(
                f"the procedure adversarial needs one adversarial loss and no distillation; the losses hold {len(terms)}"
            )
        if judge_every < 1:
            raise SettingError(f"judge_every counts steps from 1; got {judge_every}")
        self.players: dict[str, nn.Module] = {"network": network, "judge": JUDGES[judge]()}
        self.objective, self.term, self.layer = objective, terms[0], layer
        self.frozen: tuple[nn.Module, ...] = ()
        self.conditional = judge == "conditional_patch"
        self.judge_first, self.judge_every, self.needs_start = judge_first, judge_every, needs_start
        self._shown: dict[int, Tensor] = {}  # estimates that the judge sees after the network has played, by micro-batch

    def turns(self, step: int, epoch: int) -> tuple[str, ...]:
        """The network, and the judge in its steps once the term has a weight."""
        self._shown.clear()
        if not self.term.weight(epoch) or step % self.judge_every:
            return ("network",)
        return ("judge", "network") if self.judge_first else ("network", "judge")

    def loss(self, player: str, batch: Batch, epoch: int) -> Tally:
        """The objective and the network's half of the adversarial term, or the judge's half."""
        return self._judge(batch) if player == "judge" else self._network(batch, epoch)

    def _network(self, batch: Batch, epoch: int) -> Tally:
        layers = separate(self.players["network"], batch.input)
        tally: Tally = self.objective(layers, batch, epoch)
        weight = self.term.weight(epoch)
        if not weight:
            return tally
        mask = batch.suited(self.term.kinds, (self.layer,))
        if not mask.any():
            return tally + _nothing(batch, self.term.label)
        estimate = layers[self.layer]
        if not self.judge_first:
            self._shown[id(batch)] = estimate.detach()
        judge = self.players["judge"].requires_grad_(False)
        fake = self._says(judge, batch, estimate, mask)
        real = self._says(judge, batch, batch.truth[self.layer], mask) if self.term.loss.compares else fake  # else not looked at
        judge.requires_grad_(True)
        value = self.term.loss.player(real, fake) * (mask.sum() / len(batch))  # type: ignore[operator]
        return tally + Tally(total=weight * value, parts={self.term.label: value.detach()})

    def _judge(self, batch: Batch) -> Tally:
        mask = batch.suited(self.term.kinds, (self.layer,))
        if not mask.any():
            return _nothing(batch, "judge")
        estimate = self._shown.get(id(batch))
        if estimate is None:
            with torch.no_grad():
                estimate = separate(self.players["network"], batch.input)[self.layer]
        judge = self.players["judge"]
        real, fake = (self._says(judge, batch, candidate, mask) for candidate in (batch.truth[self.layer], estimate))
        value = self.term.loss.judge(real, fake)  # type: ignore[operator]
        return Tally(total=value, parts={"judge": value.detach()})

    def _says(self, judge: nn.Module, batch: Batch, candidate: Tensor, mask: Tensor) -> Tensor:
        """The judge's logits of a candidate for the layer, beside the photo if it is conditional."""
        seen = (batch.input[mask], candidate[mask]) if self.conditional else (candidate[mask],)
        logits: Tensor = judge(*seen).float()
        return logits


def _nothing(batch: Batch, label: str) -> Tally:
    """What a term that speaks of none of the pairs comes to."""
    zero = batch.input.new_zeros(())
    return Tally(total=zero, parts={label: zero})


ENTRY = Entry(
    build=Adversarial,
    source="Goodfellow et al., NeurIPS 2014; judges of Zhang et al., CVPR 2018, Wei et al., CVPR 2019, Li et al., CVPR 2020",
)
