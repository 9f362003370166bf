"""A run: what plays, where it stands, and the one loop that moves it on."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from limpid.data.loader import Batches, batches
from limpid.data.stream import Stream
from limpid.errors import LimpidError, NoRoomError, WeightsError, is_out_of_memory
from limpid.layers.batch import Batch
from limpid.layers.task import Task
from limpid.physics.seeds import torch_seed
from limpid.recipe.models import Cosine, Linear, Oscillating, Recipe, Restarts, Step
from limpid.training.ema import EMA
from limpid.training.optimizer_step import OptimizerSlot, optimizer_step
from limpid.training.procedure import Procedure, unwrapped
from limpid.training.processes import per_step
from limpid.training.run_state import extras_of, take_extras, take_weights, weights_of
from limpid.training.schedules import Plateau, cosine, linear, oscillating, restarting, steps_down
from limpid.training.sharding import gathered, is_sharded, shared_like

if TYPE_CHECKING:
    from lightning_fabric import Fabric

MOST_SKIPPED = 10
"""So many steps in a row without finite numbers end a run."""


class NotFiniteError(LimpidError):
    """The losses of a run are no numbers any more; its state is saved."""


@dataclass(frozen=True, kw_only=True)
class FinishedStep:
    """A finished step.

    ``step``: its number from 1 on; ``epoch``: from 0 on; ``values``: losses by label; ``rates``: by module; ``samples``: photos
    seen; ``waited``: seconds for data; ``moved``: whether the weights changed, which they do not where a loss or gradient is no
    number.
    """

    step: int
    epoch: int
    values: dict[str, float]
    rates: dict[str, float]
    samples: int
    waited: float
    ends_epoch: bool
    moved: bool


@dataclass(kw_only=True)
class TrainingLoop:
    """Modules, optimisers, average and counters of a training; ``steps`` moves it, ``state`` and ``restore`` carry it over.

    ``asked``: the recipe as its owner wrote it, of which ``recipe`` may share the steps otherwise among the processes that there
    are; ``step``: optimiser steps done; ``per_step``: photos of a step over all processes; ``length``: photos of an epoch;
    ``logger``: what its records stood at; ``data``: fingerprints of its files; ``torn``: an error came between the turns of a step,
    so that what stands here is no state to go on from; ``ended``: why a run ended that did not end well; ``due``: an epoch, from 0
    on, whose steps are done but not its scores, as a signal came before.
    """

    recipe: Recipe
    asked: Recipe
    fabric: "Fabric"
    procedure: Procedure
    slots: dict[str, OptimizerSlot]
    ema: EMA
    length: int
    plateau: Plateau | None = None
    step: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    logger: dict[str, Any] | None = None
    due: int | None = None
    data: dict[str, str] = field(default_factory=dict)
    torn: bool = False
    ended: str = ""

    @property
    def sharded(self) -> bool:
        """Whether each process holds a share of the weights only, so that all of them have to gather a state."""
        return is_sharded(self.fabric)

    @property
    def per_step(self) -> int:
        """Photos of a step over all processes."""
        return per_step(self.recipe, self.fabric.world_size)

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return self.length * self.recipe.train.epochs // self.per_step

    def epoch_of(self, step: int) -> int:
        """Epoch, from 0 on, in which step number ``step``, from 0 on, begins."""
        return step * self.per_step // self.length

    @property
    def epochs_done(self) -> int:
        """Epochs whose steps are all done."""
        return self.recipe.train.epochs if self.step == self.total else self.epoch_of(self.step)

    def batches(self, stream: Stream, task: Task) -> Batches:
        """The photos of the steps that are left, for this process."""
        data, train = self.recipe.data, self.recipe.train
        return batches(
            stream,
            task=task,
            start_step=self.step,
            batch=data.batch,
            rank=self.fabric.global_rank,
            world=self.fabric.world_size,
            accumulate=train.accumulate,
            workers=data.workers,
            pin=self.fabric.device.type == "cuda",
        )

    def steps(self, batches: Batches) -> Iterator[FinishedStep]:
        """Step after step until the last; the caller breaks off when it likes. Raises NotFiniteError and NoRoomError."""
        waited = 0.0
        for micros in batches:
            epoch = self.epoch_of(self.step)
            rates = self._set_rates(epoch)
            values = self._advance(micros, epoch)
            self.step += 1
            ends = self.step == self.total or self.epoch_of(self.step) > epoch
            waited, before = batches.waited, waited
            yield FinishedStep(
                step=self.step,
                epoch=epoch,
                values=values,
                rates=rates,
                samples=self.per_step,
                waited=waited - before,
                ends_epoch=ends,
                moved=not self.skipped_in_a_row,
            )
            if self.skipped_in_a_row >= MOST_SKIPPED:
                raise NotFiniteError(
                    f"{MOST_SKIPPED} steps in a row gave a loss or gradient that is no number (step {self.step}); the state is"
                    " saved. Lower optimiser.rate, set train.clip, or train in float32."
                )

    def _advance(self, micros: Sequence[Batch], epoch: int) -> dict[str, float]:
        """All turns of a step; dropout depends on (seed, step, process) alone."""
        torch.manual_seed(torch_seed(self.recipe.seed, self.step, self.fabric.global_rank, "step"))
        values: dict[str, float] = {}
        moved = True
        try:
            batches = [batch.to(self.fabric.device) for batch in micros]
            for module in self.procedure.order(self.step, epoch):
                result = optimizer_step(self.fabric, self.procedure, module, self.slots[module], batches, epoch)
                values.update(result.values)
                moved &= result.moved
                self.torn |= result.moved
                if not result.moved:
                    break
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise NoRoomError(_remedy(self.recipe, micros[0])) from error
        self.skipped_in_a_row = 0 if moved else self.skipped_in_a_row + 1
        self.skipped += not moved
        if moved:
            self.ema.update(unwrapped(self.procedure.networks["network"]), self.step + 1)
        self.torn = False
        return values

    def _set_rates(self, epoch: int) -> dict[str, float]:
        rates = {}
        for module, slot in self.slots.items():
            options = (
                self.recipe.optimiser if module == "network" or self.recipe.discriminator is None else self.recipe.discriminator
            )
            factor = self._factor() if module == "network" else 1.0
            rates[module] = options.rate_at(epoch) * factor
            for group in slot.optimiser.param_groups:
                group["lr"] = rates[module] * group["factor"]
        return rates

    def _factor(self) -> float:
        schedule = self.recipe.schedule
        if isinstance(schedule, Cosine):
            return cosine(self.step, self.total, warmup=schedule.warmup, floor=schedule.floor)
        if isinstance(schedule, Step):
            return steps_down(self.epoch_of(self.step), every=schedule.every, at=schedule.at, factor=schedule.factor)
        if isinstance(schedule, Linear):
            steady = schedule.steady * self.length // self.per_step
            return linear(self.step, self.total, warmup=schedule.warmup, steady=steady, floor=schedule.floor)
        if isinstance(schedule, Restarts):
            return restarting(self.step, period=schedule.period, growth=schedule.growth, floor=schedule.floor)
        if isinstance(schedule, Oscillating):
            return oscillating(self.step, half_period=schedule.half_period, floor=schedule.floor)
        return self.plateau.value if self.plateau else 1.0

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs, as plain containers and tensors; frozen backbones are left out.

        Where the weights are ``sharded``, all processes have to ask for it together.
        """
        return {
            "step": self.step,
            "world": self.fabric.world_size,
            "photos": self.per_step,
            "skipped": self.skipped,
            "due": self.due,
            "data": self.data,
            "ended": self.ended,
            "modules": {name: gathered(weights_of(unwrapped(module))) for name, module in self.procedure.networks.items()},
            "ema": weights_of(self.ema.network),
            "optimisers": {name: gathered(slot.optimiser.state_dict()) for name, slot in self.slots.items()},
            "losses": extras_of(self.procedure.objective),
            "plateau": asdict(self.plateau) if self.plateau else None,
            "precision": self.fabric.strategy.precision.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Stand where ``state`` was taken. Raises WeightsError when it belongs to another network."""
        for name, module in self.procedure.networks.items():
            take_weights(unwrapped(module), state["modules"][name], name)
        if self.recipe.train.ema:
            take_weights(self.ema.network, state["ema"], "ema")
        for name, slot in self.slots.items():
            _take_optimiser(slot.optimiser, state["optimisers"][name])
        take_extras(self.procedure.objective, state["losses"])
        if self.plateau and state["plateau"]:
            self.plateau = Plateau(**state["plateau"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.step, self.skipped, self.due = state["step"], state["skipped"], state["due"]
        self.logger, self.ended = state["logger"], state.get("ended", "")


def _take_optimiser(optimiser: Optimizer, state: dict[str, Any]) -> None:
    """Load a saved state; factors on the rate stay those of the recipe, kernels those of this machine.

    Raises WeightsError when it does not fit.
    """
    own: list[dict[str, Any]] = [
        {key: group[key] for key in ("factor", "fused") if key in group} for group in optimiser.param_groups
    ]
    parameters = dict(enumerate(parameter for group in optimiser.param_groups for parameter in group["params"]))
    moments = {place: _shares(found, parameters[place]) for place, found in state["state"].items() if place in parameters}
    try:
        optimiser.load_state_dict({**state, "state": moments})
    except ValueError as error:
        raise WeightsError(f"the state of the optimiser does not fit this recipe: {error}") from error
    for group, kept in zip(optimiser.param_groups, own, strict=True):
        group.update(kept)


def _shares(moments: dict[str, Any], parameter: Tensor) -> dict[str, Any]:
    """This process's shares of the moments of a parameter; counts are nobody's share."""
    return {
        name: shared_like(value, parameter) if isinstance(value, Tensor) and value.shape == parameter.shape else value
        for name, value in moments.items()
    }


def _remedy(recipe: Recipe, batch: Batch) -> str:
    height, width = batch.input.shape[-2:]
    return (
        f"a step does not fit the memory: batch {len(batch)} of {width}×{height} photos, {recipe.train.precision}."
        " Lower data.batch (and raise train.accumulate by as much), data.augment.crop, or use train.precision=bfloat16 or"
        " train.checkpointing=true."
    )
