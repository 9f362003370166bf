"""Adversarial training: a discriminator learns to tell estimates from photographs, the network to please it.

Optimised: the discriminator, then the network, or the other way round, as the setting says; while the term's weight is 0 (warm-up)
the network alone. Losses: the discriminator minimises its half of the adversarial term, the network all other terms plus its half.
"""

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from limpid.blocks.discriminators import (
    ConditionalPatchDiscriminator,
    GlobalDiscriminator,
    Norm,
    PatchDiscriminator,
    PixelDiscriminator,
    SmallConditionalDiscriminator,
)
from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.losses._kinds import LogitsLoss
from limpid.losses.adversarial import gradient_penalty
from limpid.training.objective import LossValue, Objective
from limpid.training.procedure import separate

DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "conditional_patch": ConditionalPatchDiscriminator,
    "patch": PatchDiscriminator,
    "errnet_patch": partial(PatchDiscriminator, padding=2),
    "errnet_vgg": GlobalDiscriminator,
    "pixel": PixelDiscriminator,
    "ragnet": SmallConditionalDiscriminator,
}
"""Name in recipes → discriminator.

Zhang 2018's and PINTO0309's, IBCLN's (CycleGAN's ``n_layers``), ERRNet's ``disc_patch``, ERRNet's ``disc_vgg``, CycleGAN's
``pixel``, RAGNet's.
"""

Discriminator = Literal["conditional_patch", "patch", "errnet_patch", "errnet_vgg", "pixel", "ragnet"]

CONDITIONAL: tuple[Discriminator, ...] = ("conditional_patch", "ragnet")
"""Discriminators that see the photo beside the candidate."""


class Adversarial:
    """A discriminator of one layer, alternating with the network.

    ``discriminator``: see ``DISCRIMINATORS``; ``discriminator_layers`` (3), ``discriminator_norm`` (instance) and
    ``discriminator_width`` (64) of those that have them, see ``PatchDiscriminator``. ``discriminator_first``: it is optimised
    before the network (Zhang et al., CVPR 2018; ERRNet) or after it, on the same estimates (IBCLN). ``discriminator_every``: in
    every so many steps (PINTO0309, Zhang and RAGNet: 2). ``layer``: what it sees, None for the task's first; ``fakes``: estimates
    of which layers it tells from the truth of that one, of which the one that it tells best counts (YTMT's second stage: both),
    none for that layer alone. ``needs_start``: refuse to begin from random weights, without ``--init``. Raises SettingError
    unless the losses hold exactly one adversarial term, and for ``fakes`` of a discriminator that is not first.
    """

    one_forward = False

    def __init__(
        self,
        *,
        network: nn.Module,
        objective: Objective,
        discriminator: Discriminator = "conditional_patch",
        discriminator_layers: int | None = None,
        discriminator_norm: Norm | None = None,
        discriminator_width: int | None = None,
        discriminator_first: bool = True,
        discriminator_every: int = 1,
        layer: str | None = None,
        fakes: tuple[str, ...] = (),
        needs_start: bool = False,
    ) -> None:
        terms = objective.others("logits")
        if len(terms) != 1 or objective.others("teacher"):
            raise SettingError(
                f"the procedure adversarial needs one adversarial loss and no distillation; the losses hold {len(terms)}"
            )
        if discriminator_every < 1:
            raise SettingError(f"discriminator_every counts steps from 1; got {discriminator_every}")
        if fakes and not discriminator_first:
            raise SettingError(
                "fakes of several layers take a discriminator that is optimised first; set discriminator_first: true"
            )
        wanted = {"layers": discriminator_layers, "norm": discriminator_norm, "width": discriminator_width}
        self.networks: dict[str, nn.Module] = {"network": network, "discriminator": _made(discriminator, wanted)}
        self.objective, self.term, self.layer, self.fakes = objective, terms[0], layer, fakes
        self.form = cast(LogitsLoss, terms[0].loss)
        self.frozen: tuple[nn.Module, ...] = ()
        self.notes: Mapping[str, str] = {}
        self.conditional = discriminator in CONDITIONAL
        self.discriminator_first, self.discriminator_every, self.needs_start = discriminator_first, discriminator_every, needs_start
        self._shown: dict[int, Tensor] = {}  # estimates of a step whose network is optimised first, by micro-batch

    def order(self, step: int, epoch: int) -> tuple[str, ...]:
        """The network, and the discriminator in its steps once the term has a weight."""
        self._shown.clear()
        if not self.term.weight(epoch) or step % self.discriminator_every:
            return ("network",)
        return ("discriminator", "network") if self.discriminator_first else ("network", "discriminator")

    def loss(self, name: str, batch: Batch, epoch: int) -> LossValue:
        """The objective and the network's half of the adversarial term, or the discriminator's half."""
        return self._discriminator(batch) if name == "discriminator" else self._network(batch, epoch)

    def _network(self, batch: Batch, epoch: int) -> LossValue:
        layers = separate(self.networks["network"], batch.seen)
        loss: LossValue = self.objective(layers, batch, epoch)
        weight = self.term.weight(epoch)
        if not weight:
            return loss
        layer = self.layer or batch.task.primary
        mask = batch.suited(self.term.kinds, (layer,), self.term.sources)
        if not mask.any():
            return loss + _nothing(batch, self.term.label)
        estimate = layers[layer]
        if not self.discriminator_first:
            self._shown[id(batch)] = estimate.detach()
        discriminator = self.networks["discriminator"].requires_grad_(False)
        fake = self._says(discriminator, batch, estimate, mask)
        real = self._says(discriminator, batch, batch.truth[layer], mask) if self.form.compares else fake  # else not looked at
        discriminator.requires_grad_(True)
        value = self.form.generator(real, fake) * (mask.sum() / len(batch))
        return loss + LossValue(total=weight * value, parts={self.term.label: value.detach()})

    def _discriminator(self, batch: Batch) -> LossValue:
        layer = self.layer or batch.task.primary
        mask = batch.suited(self.term.kinds, (layer,), self.term.sources)
        if not mask.any():
            return _nothing(batch, "discriminator")
        shown = self._shown.get(id(batch))
        if shown is None:
            with torch.no_grad():
                layers = separate(self.networks["network"], batch.seen)
        estimates = [layers[name] for name in self.fakes or (layer,)] if shown is None else [shown]
        discriminator = self.networks["discriminator"]
        real, *fakes = (self._says(discriminator, batch, candidate, mask) for candidate in (batch.truth[layer], *estimates))
        value = torch.stack([self.form.discriminator(real, fake) for fake in fakes]).min()
        loss = LossValue(total=value, parts={"discriminator": value.detach()})
        if not self.form.penalty:
            return loss
        beside = batch.select(mask)
        slope = gradient_penalty(
            lambda between: self._says(discriminator, beside, between, torch.ones(len(beside), dtype=torch.bool)),
            beside.truth[layer],
            estimates[0][mask].detach(),
        )
        return loss + LossValue(total=self.form.penalty * slope, parts={"penalty": slope.detach()})

    def _says(self, discriminator: nn.Module, batch: Batch, candidate: Tensor, mask: Tensor) -> Tensor:
        """The discriminator's logits of a candidate for the layer, beside the photo if it is conditional."""
        seen = (batch.input[mask], candidate[mask]) if self.conditional else (candidate[mask],)
        logits: Tensor = discriminator(*seen).float()
        return logits


def _made(name: str, wanted: Mapping[str, Any]) -> nn.Module:
    """The discriminator of that name, with what is ``wanted`` of it. Raises SettingError for a setting that it does not have."""
    build = DISCRIMINATORS[name]
    chosen = {key: value for key, value in wanted.items() if value is not None}
    for key in chosen:
        if key not in signature(build).parameters:
            able = [other for other, made in DISCRIMINATORS.items() if key in signature(made).parameters]
            raise SettingError(f"the discriminator {name} has no {key} to choose; {', '.join(able)} have")
    made: nn.Module = build(**chosen)
    return made


def _nothing(batch: Batch, label: str) -> LossValue:
    """What a term that speaks of none of the pairs comes to."""
    zero = batch.input.new_zeros(())
    return LossValue(total=zero, parts={label: zero})


ENTRY = Entry(
    build=Adversarial,
    source="Goodfellow et al., NeurIPS 2014; discriminators: Zhang et al., CVPR 2018; Wei et al., CVPR 2019; Li et al., CVPR 2020;"
    " Li et al., arXiv:2012.00945",
)
