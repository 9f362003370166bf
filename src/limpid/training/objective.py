"""What a network is to minimise: terms, each with its weight over the epochs, its layers and the kinds of pairs it speaks of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from limpid.catalogue import Takes
from limpid.errors import SettingError
from limpid.layers.batch import KINDS, Batch, Kind
from limpid.layers.separation import Separation, steps_of
from limpid.losses._kinds import SceneLoss


@dataclass(frozen=True, kw_only=True)
class LossValue:
    """A value to minimise, a scalar with its gradient, and the unweighted value of each term by label, detached."""

    total: Tensor
    parts: Mapping[str, Tensor]

    def __add__(self, other: "LossValue") -> "LossValue":
        return LossValue(total=self.total + other.total, parts={**self.parts, **other.parts})


@dataclass(frozen=True, kw_only=True)
class Term:
    """A loss with what a recipe says of it.

    ``weight``: factor in an epoch. ``layers``: layer → weight, for losses that compare one layer with its target. ``kinds``: the
    pairs that it is computed on, ``sources``: those of these alone, of all where none is named. ``label``: what logs call it.
    ``steps``: weights of the intermediate answers ``LAYER_1``, ``LAYER_2``, … of a network, the last ones where it makes fewer
    (deep supervision: Lee et al., AISTATS 2015); empty: the layer alone is compared.
    """

    loss: nn.Module
    takes: Takes
    label: str
    weight: Callable[[int], float]
    layers: Mapping[str, float] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = KINDS
    sources: tuple[str, ...] = ()
    steps: tuple[float, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Layers whose truth must be known."""
        return self.loss.needs if isinstance(self.loss, SceneLoss) else ()

    def against(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
        """Value of a term that compares with a teacher: a scalar."""
        value: Tensor = self.loss(student, teacher)
        return value

    def value(self, layers: Separation, batch: Batch) -> Tensor:
        """Mean over the pairs of a batch, those that it does not speak of counting 0: a scalar."""
        if self.takes == "scene":
            return self._share(layers, batch, self.needs, lambda found, chosen: self.loss(found, chosen))
        values = [weight * self._share(layers, batch, (name,), self._compared(name)) for name, weight in self.layers.items()]
        return torch.stack(values).sum()

    def _compared(self, name: str) -> Callable[[Separation, Batch], Tensor]:
        if not self.steps:
            return lambda found, chosen: self.loss(found[name], chosen.truth[name])
        return lambda found, chosen: self._over_steps(steps_of(found, name), chosen.truth[name])

    def _over_steps(self, answers: Sequence[Tensor], truth: Tensor) -> Tensor:
        if len(answers) > len(self.steps):
            raise SettingError(
                f"the network makes {len(answers)} steps, the loss {self.label} has weights for {len(self.steps)}; name as many"
            )
        weights = self.steps[-len(answers) :]
        return torch.stack([weight * self.loss(answer, truth) for weight, answer in zip(weights, answers, strict=True)]).sum()

    def _share(
        self, layers: Separation, batch: Batch, needs: tuple[str, ...], loss: Callable[[Separation, Batch], Tensor]
    ) -> Tensor:
        mask = batch.suited(self.kinds, needs, self.sources)
        count = int(mask.sum())
        if not count:
            return batch.input.new_zeros(())
        if count == len(batch):
            return loss(layers, batch)
        return loss(layers.map(lambda layer: layer[mask]), batch.select(mask)) * (count / len(batch))


class Objective(nn.Module):
    """The weighted sum of terms; those of discriminators and teachers are left to the procedure that has one, see ``others``."""

    def __init__(self, terms: Sequence[Term]) -> None:
        super().__init__()
        self.terms = tuple(terms)
        self.losses = nn.ModuleList(term.loss for term in terms)

    def forward(self, layers: Separation, batch: Batch, epoch: int) -> LossValue:
        """Total and parts in ``epoch``; a term of weight 0 is not computed."""
        total, parts = batch.input.new_zeros(()), {}
        for term in self.terms:
            weight = term.weight(epoch)
            if term.takes in ("layer", "scene") and weight:
                value = term.value(layers, batch)
                total, parts[term.label] = total + weight * value, value.detach()
        return LossValue(total=total, parts=parts)

    def others(self, takes: Takes) -> tuple[Term, ...]:
        """Terms of discriminators (``logits``) or of teachers (``teacher``)."""
        return tuple(term for term in self.terms if term.takes == takes)
