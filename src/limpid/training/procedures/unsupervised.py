"""Training without pairs: photos on one side, samples of what each layer looks like on the other, which belong to no photo.

Optimised: one discriminator per layer, then the network, in every step and on one forward. Losses: every term that looks at a
translation, plus the network's half of the adversarial term. Order: forward, discriminators on detached fakes (some of past steps),
network. Liu & Lu, AAAI 2020 (SILS); Liu et al., CVPR 2020 (USI3D).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import torch
from torch import Tensor, nn

from limpid.blocks.discriminators import start_normal
from limpid.blocks.munit import MultiScaleDiscriminator
from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.layers.unpaired import Translation, UnpairedNetwork
from limpid.losses._kinds import LogitsLoss, UnpairedLoss
from limpid.training.image_pool import ImagePool
from limpid.training.objective import LossValue, Objective
from limpid.training.procedure import FabricModule, unwrapped


@dataclass(frozen=True, kw_only=True)
class Discriminators:
    """The discriminators of all layers, see ``blocks.munit.MultiScaleDiscriminator``; ``pool``: past fakes kept for each."""

    width: int = 64
    layers: int = 4
    scales: int = 3
    fused: bool = False
    pool: int = 50


class LayerDiscriminators(nn.Module):
    """One multi-scale discriminator and one pool of past fakes for each layer."""

    def __init__(self, layers: tuple[str, ...], options: Discriminators) -> None:
        super().__init__()
        self.judges = nn.ModuleDict({name: self._judge(options) for name in layers})
        self.pools = nn.ModuleDict({name: ImagePool(options.pool) for name in layers})
        start_normal(self)

    @staticmethod
    def _judge(options: Discriminators) -> MultiScaleDiscriminator:
        return MultiScaleDiscriminator(width=options.width, layers=options.layers, scales=options.scales, fused=options.fused)

    def forward(self, images: Mapping[str, Tensor]) -> dict[str, list[Tensor]]:
        """Layer → images (B, 3, H, W), 0…1 → its maps, one per scale."""
        return {name: self.judges[name](image * 2 - 1) for name, image in images.items()}


class UnpairedModule(FabricModule):
    """An unpaired network whose forward is its translation, as plain containers, which Fabric and DDP walk through."""

    def forward(self, photo: Tensor, samples: dict[str, Tensor] | None = None, mixed: Tensor | None = None) -> Any:
        """Photos and samples → everything that the losses look at, by name; photos alone → layers and steps."""
        if samples is None:
            return super().forward(photo)
        made = cast(UnpairedNetwork, self.network).translate(photo, samples, mixed)
        return {one.name: _plain(getattr(made, one.name)) for one in fields(made)}


class Unsupervised:
    """A discriminator for each layer, and one network that pleases them all and keeps its word.

    ``discriminators``: see ``Discriminators``. Raises SettingError for a network that cannot learn so, terms that need pairs, and
    more than one adversarial term.
    """

    needs_start = False
    one_forward = True

    def __init__(self, *, network: FabricModule, objective: Objective, discriminators: Discriminators | None = None) -> None:
        inner = network.network
        if not isinstance(inner, UnpairedNetwork):
            raise SettingError(f"{type(inner).__name__.lower()} cannot learn without pairs; the networks sils and usi3d can")
        terms = objective.others("logits")
        paired = [term.label for term in objective.terms if term.takes not in ("logits", "unpaired")]
        if len(terms) > 1 or paired:
            raise SettingError(
                f"the procedure unsupervised takes one adversarial loss at most and no {', '.join(paired) or 'second one'}"
            )
        if terms and cast(LogitsLoss, terms[0].loss).penalty:
            raise SettingError("the procedure unsupervised knows no penalty on gradients; take form: least_squares or vanilla")
        self.networks: dict[str, nn.Module] = {"network": UnpairedModule(inner)}
        self.objective, self.adversarial = objective, terms[0] if terms else None
        self.terms = objective.others("unpaired")
        if self.adversarial is not None:
            options = discriminators or Discriminators()
            self.networks["discriminator"] = LayerDiscriminators(_layers_of(inner), options)
        self.frozen: tuple[nn.Module, ...] = ()
        backward = any(cast(UnpairedLoss, term.loss).backward for term in self.terms)
        self.notes: Mapping[str, str] = {"backward_cycle": "on" if backward else "off"}
        self._made: dict[int, Translation] = {}  # of this step, by micro-batch

    def order(self, step: int, epoch: int) -> tuple[str, ...]:
        """The discriminators, once the term has a weight, then the network."""
        self._made.clear()
        return ("discriminator", "network") if self.adversarial is not None and self.adversarial.weight(epoch) else ("network",)

    def loss(self, name: str, batch: Batch, epoch: int) -> LossValue:
        """What the discriminators or the network minimise."""
        if not all(bool(known.all()) for known in batch.known.values()):
            raise SettingError("training without pairs needs a sample of every layer beside each photo; see the source `unpaired`")
        return self._judged(batch, epoch) if name == "discriminator" else self._network(batch, epoch)

    def _network(self, batch: Batch, epoch: int) -> LossValue:
        made = self._translation(batch, epoch)
        total, parts = batch.input.new_zeros(()), {}
        for term in self.terms:
            weight = term.weight(epoch)
            if weight:
                value: Tensor = term.loss(made, batch)
                total, parts[term.label] = total + weight * value, value.detach()
        game = self.adversarial
        if game is not None and game.weight(epoch):
            judges = self.networks["discriminator"].requires_grad_(False)
            value = torch.stack([self._score("generator", judges, batch, fakes) for fakes in _rows(made)]).sum()
            judges.requires_grad_(True)
            total, parts[game.label] = total + game.weight(epoch) * value, value.detach()
        return LossValue(total=total, parts=parts)

    def _judged(self, batch: Batch, epoch: int) -> LossValue:
        made, judges = self._translation(batch, epoch), self.networks["discriminator"]
        pools = cast(LayerDiscriminators, unwrapped(judges)).pools
        rows = [{name: pools[name](fake.detach()) for name, fake in fakes.items()} for fakes in _rows(made)]
        value = torch.stack([self._score("discriminator", judges, batch, fakes) for fakes in rows]).sum()
        return LossValue(total=value, parts={"discriminator": value.detach()})

    def _score(self, side: str, judges: nn.Module, batch: Batch, fakes: Mapping[str, Tensor]) -> Tensor:
        """One side's score of one fake of every layer, summed over layers and scales."""
        form = cast(LogitsLoss, cast(Any, self.adversarial).loss)
        said: dict[str, list[Tensor]] = judges(dict(fakes))
        looks = side == "discriminator" or form.compares
        real: dict[str, list[Tensor]] = judges({name: batch.truth[name] for name in fakes}) if looks else said
        pairs = [both for name in fakes for both in zip(real[name], said[name], strict=True)]
        return torch.stack([getattr(form, side)(one.float(), other.float()) for one, other in pairs]).sum()

    def _translation(self, batch: Batch, epoch: int) -> Translation:
        """What the network makes of a micro-batch, once for both sides: its weights move only after both have looked."""
        if id(batch) not in self._made:
            samples = dict(batch.truth)
            backward = any(cast(UnpairedLoss, term.loss).backward and term.weight(epoch) for term in self.terms)
            mixed = batch.task.compose(samples) if backward else None
            made = _floats(self.networks["network"](batch.input, samples, mixed))
            self._made[id(batch)] = Translation(**{**made, "layers": Separation(made["layers"])})
        return self._made[id(batch)]


def _layers_of(network: UnpairedNetwork) -> tuple[str, ...]:
    return network.layer_names or ("albedo", "shading")


def _rows(made: Translation) -> list[dict[str, Tensor]]:
    """The fakes, one of every layer at a time."""
    return [dict(zip(made.fakes, row, strict=True)) for row in zip(*made.fakes.values(), strict=True)]


def _plain(value: Any) -> Any:
    """Mappings as dicts and rows as lists."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _floats(value: Any) -> Any:
    """All tensors in float32."""
    if isinstance(value, Tensor):
        return value.float()
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    return [_floats(item) for item in value]


ENTRY = Entry(build=Unsupervised, source="Liu & Lu, AAAI 2020, arXiv:1906.00734; Liu et al., CVPR 2020, arXiv:1911.09930")
