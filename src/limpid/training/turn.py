"""One optimiser step of one player: backward over micro-batches, clipping, and what happens to values that are not finite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from limpid.image.batch import Batch
from limpid.training.objective import Tally
from limpid.training.procedure import Procedure

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule


@dataclass(frozen=True, kw_only=True)
class Played:
    """What a turn came to: ``values`` by label (``loss`` is the total), and whether the optimiser moved."""

    values: Mapping[str, float]
    moved: bool


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A player's optimiser, what it optimises beside the player (projectors of losses), and the limit of the gradient's norm."""

    optimiser: Optimizer
    extras: Sequence[nn.Parameter] = ()
    clip: float | None = None


def play(fabric: "Fabric", procedure: Procedure, player: str, seat: Seat, batches: Sequence[Batch], epoch: int) -> Played:
    """Let ``player`` take its turn on the micro-batches of a step.

    A loss or gradient that is not finite leaves all weights as they are. Under float16 the scaler of Fabric looks after
    gradients, for which overflow is part of normal life.
    """
    module = cast("_FabricModule", procedure.players[player])
    seat.optimiser.zero_grad(set_to_none=True)
    values: dict[str, list[Tensor]] = {}
    for number, batch in enumerate(batches):
        with fabric.no_backward_sync(module, enabled=number + 1 < len(batches)):
            tally = procedure.loss(player, batch, epoch)
            if not _everywhere(fabric, torch.isfinite(tally.total)):
                seat.optimiser.zero_grad(set_to_none=True)
                return Played(values=_means(fabric, player, {"loss": [tally.total.detach()]}), moved=False)
            if tally.total.requires_grad:
                fabric.backward(tally.total / len(batches))
        _note(values, tally)
    _share_extras(fabric, seat.extras)
    norm = fabric.clip_gradients(module, seat.optimiser, max_norm=seat.clip or float("inf"), error_if_nonfinite=False)
    scaled = getattr(fabric.strategy.precision, "scaler", None) is not None
    if not scaled and norm is not None and not bool(torch.isfinite(norm)):
        seat.optimiser.zero_grad(set_to_none=True)
        return Played(values=_means(fabric, player, values), moved=False)
    seat.optimiser.step()
    return Played(values=_means(fabric, player, values), moved=True)


def _everywhere(fabric: "Fabric", finite: Tensor) -> bool:
    """Whether a condition holds in all processes: they step together or not at all."""
    if fabric.world_size == 1:
        return bool(finite)
    return float(fabric.all_reduce(finite.float(), reduce_op="mean")) == 1.0  # type: ignore[arg-type]


def _share_extras(fabric: "Fabric", extras: Sequence[nn.Parameter]) -> None:
    """Average the gradients of parameters that DDP does not see."""
    for parameter in extras if fabric.world_size > 1 else ():
        if parameter.grad is not None:
            parameter.grad.copy_(fabric.all_reduce(parameter.grad, reduce_op="mean"))  # type: ignore[arg-type]


def _note(values: dict[str, list[Tensor]], tally: Tally) -> None:
    for label, value in {"loss": tally.total.detach(), **tally.parts}.items():
        values.setdefault(label, []).append(value)


def _means(fabric: "Fabric", player: str, values: Mapping[str, Sequence[Tensor]]) -> dict[str, float]:
    """Means over micro-batches and processes; the total of a judge goes by its part's name alone."""
    table = torch.stack([torch.stack(list(found)).float().mean() for found in values.values()])
    if fabric.world_size > 1:
        table = fabric.all_reduce(table, reduce_op="mean")  # type: ignore[assignment]
    means = dict(zip(values, table.tolist(), strict=True))
    if player != "network":
        means.pop("loss")
    return means
