"""One optimiser step of one module: backward over micro-batches, clipping, and what happens to values that are not finite."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from limpid.layers.batch import Batch
from limpid.training.objective import LossValue
from limpid.training.procedure import Procedure
from limpid.training.sharding import clip_shares, is_sharded

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What a step came to: ``values`` by label (``loss`` is the total), and whether the optimiser moved."""

    values: Mapping[str, float]
    moved: bool


@dataclass(frozen=True, kw_only=True)
class OptimizerSlot:
    """A module's optimiser, the limit of its gradient's norm, and ``extras``: what it optimises that Fabric does not average."""

    optimiser: Optimizer
    extras: Sequence[nn.Parameter] = ()
    clip: float | None = None


def optimizer_step(
    fabric: "Fabric", procedure: Procedure, name: str, slot: OptimizerSlot, batches: Sequence[Batch], epoch: int
) -> StepResult:
    """Optimise the module ``name`` of a procedure on the micro-batches of a step.

    A loss or gradient that is not finite leaves all weights as they are. Under float16 the scaler of Fabric looks after
    gradients, for which overflow is part of normal life.
    """
    module = cast("_FabricModule", procedure.networks[name])
    slot.optimiser.zero_grad(set_to_none=True)
    values: dict[str, list[Tensor]] = {}
    for number, batch in enumerate(batches):
        with _resting(fabric, procedure, name), fabric.no_backward_sync(module, enabled=number + 1 < len(batches)):
            value = procedure.loss(name, batch, epoch)
            if not _everywhere(fabric, torch.isfinite(value.total)):
                slot.optimiser.zero_grad(set_to_none=True)
                return StepResult(values=_means(fabric, name, {"loss": [value.total.detach()]}), moved=False)
            if value.total.requires_grad:
                fabric.backward(value.total / len(batches))
        _note(values, value)
    _share_extras(fabric, slot.extras)
    norm = _clip(fabric, module, slot)
    scaled = getattr(fabric.strategy.precision, "scaler", None) is not None
    if not scaled and norm is not None and not bool(torch.isfinite(norm)):
        slot.optimiser.zero_grad(set_to_none=True)
        return StepResult(values=_means(fabric, name, values), moved=False)
    slot.optimiser.step()
    return StepResult(values=_means(fabric, name, values), moved=True)


@contextmanager
def _resting(fabric: "Fabric", procedure: Procedure, name: str) -> Iterator[None]:
    """Let the discriminator take part in the network's turn without waiting for gradients of its own, which DDP would else do."""
    with ExitStack() as stack:
        if name == "network" and fabric.world_size > 1:
            for other, module in procedure.networks.items():
                if other != name:
                    stack.enter_context(fabric.no_backward_sync(cast("_FabricModule", module)))
        yield


def _clip(fabric: "Fabric", module: nn.Module, slot: OptimizerSlot) -> Tensor | None:
    """Shorten the gradient to the slot's limit; returns the norm that it had."""
    limit = slot.clip or float("inf")
    if is_sharded(fabric):
        return clip_shares((parameter for group in slot.optimiser.param_groups for parameter in group["params"]), limit)
    return fabric.clip_gradients(module, slot.optimiser, max_norm=limit, error_if_nonfinite=False)


def _everywhere(fabric: "Fabric", finite: Tensor) -> bool:
    """Whether a condition holds in all processes: they step together or not at all."""
    if fabric.world_size == 1:
        return bool(finite)
    return float(fabric.all_reduce(finite.float(), reduce_op="mean")) == 1.0  # type: ignore[arg-type]


def _share_extras(fabric: "Fabric", extras: Sequence[nn.Parameter]) -> None:
    """Average the gradients of parameters that Fabric does not: those of losses, and single numbers beside shares of weights."""
    for parameter in extras if fabric.world_size > 1 else ():
        if parameter.grad is not None:
            parameter.grad.copy_(fabric.all_reduce(parameter.grad, reduce_op="mean"))  # type: ignore[arg-type]


def _note(values: dict[str, list[Tensor]], loss: LossValue) -> None:
    for label, value in {"loss": loss.total.detach(), **loss.parts}.items():
        values.setdefault(label, []).append(value)


def _means(fabric: "Fabric", name: str, values: Mapping[str, Sequence[Tensor]]) -> dict[str, float]:
    """Means over micro-batches and processes; the total of a discriminator goes by its part's name alone."""
    table = torch.stack([torch.stack(list(found)).float().mean() for found in values.values()])
    if fabric.world_size > 1:
        table = fabric.all_reduce(table, reduce_op="mean")  # type: ignore[assignment]
    means = dict(zip(values, table.tolist(), strict=True))
    if name != "network":
        means.pop("loss")
    return means
