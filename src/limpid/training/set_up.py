"""Devices, optimisers and the state that a run goes on from."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch.optim import Optimizer

from limpid.blocks._torchvision import mend
from limpid.errors import MissingExtraError, UsageError
from limpid.progress import say
from limpid.recipe.load import Loaded
from limpid.recipe.models import Plateau as PlateauWish
from limpid.recipe.models import Recipe
from limpid.training.assemble import Assembly
from limpid.training.checkpointing import checkpoint_blocks
from limpid.training.ema import EMA
from limpid.training.initialise import initialise_from
from limpid.training.loop import TrainingLoop
from limpid.training.optimisers import build, exempt_from_decay
from limpid.training.optimizer_step import OptimizerSlot
from limpid.training.procedure import Procedure, unwrapped
from limpid.training.processes import processes
from limpid.training.rehearsal import check_device, check_frozen
from limpid.training.run_state import read_state
from limpid.training.same_run import check_same
from limpid.training.schedules import Plateau
from limpid.training.sharding import check_sharding, is_sharded, is_share, sharding_strategy
from limpid.weights.manifest import locate, rows

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins import Precision
    from lightning_fabric.strategies.strategy import Strategy


def launch(recipe: Recipe, device: str) -> "Fabric":
    """Processes and devices of a training, started; several devices are one process each, those of torchrun included."""
    mend()  # Fabric imports torchvision where all of lightning is installed
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise MissingExtraError("lightning-fabric", "train", "training") from error
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)  # what it announces stands in the recipe
    train = recipe.train
    check_device(device, train.devices)
    check_sharding(recipe)
    if train.threads:
        torch.set_num_threads(train.threads)
    precision = precision_plugin(train.precision, device)
    devices, nodes = processes(train)
    fabric = Fabric(
        accelerator=device,
        devices=devices,
        num_nodes=nodes,
        strategy=_strategy(train.strategy, devices * nodes),
        plugins=None if precision is None else [precision],
    )
    fabric.launch()
    return fabric


def _strategy(name: str, world: int) -> "str | Strategy":
    """What Fabric takes as strategy; one process shares nothing."""
    if world == 1:
        return "auto"
    return sharding_strategy(world) if name == "fsdp" else "ddp_find_unused_parameters_true"


def precision_plugin(precision: str, device: str) -> "Precision | None":
    """What Fabric takes as precision plugin: ``bfloat16`` and ``float16`` by autocast, None for ``float32``.

    ``device``: ``auto``, ``cpu``, ``cuda``, ``gpu`` or ``mps``. Inputs enter the forward in float32, unlike in Fabric's: networks
    that add what they find to the photo would otherwise return the photo rounded to bfloat16.
    """
    if precision == "float32":
        return None
    from lightning_fabric.plugins import MixedPrecision

    class Autocast(MixedPrecision):
        def convert_input(self, data: Any) -> Any:
            return data

    kind = {"auto": "cuda" if torch.cuda.is_available() else "cpu", "gpu": "cuda"}.get(device, device)
    return Autocast("bf16-mixed" if precision == "bfloat16" else "16-mixed", kind)


def set_up(
    loaded: Loaded,
    assembly: Assembly,
    fabric: "Fabric",
    *,
    resume: Path | None,
    init: Path | None,
    force: bool,
    data: Mapping[str, str] | None = None,
) -> TrainingLoop:
    """A run that is ready for its next step: the first one, or the one after the state in ``resume``.

    ``init``: weights to start the network from; ``data``: fingerprints of its files. With another number of processes than before,
    each takes another share of the same steps. Raises UsageError when the state was made by another recipe or other data and
    ``force`` is not given, or when its steps cannot be shared, and WeightsError for files that do not fit.
    """
    asked, procedure = loaded.recipe, assembly.procedure
    state = read_state(resume) if resume is not None and resume.is_file() else None
    if state is not None:
        recipe = check_same(state, asked, data or {}, world=fabric.world_size, force=force)
    else:
        recipe = asked
        start = starting_weights(init, recipe)
        new = _start(assembly, start)
        check_frozen(assembly.network, recipe, start is not None, new)
    if procedure.one_forward and is_sharded(fabric):
        raise UsageError(f"train.strategy=fsdp does not go with the procedure {recipe.procedure.name}; take --strategy ddp")
    if procedure.one_forward and fabric.world_size > 1 and recipe.train.accumulate > 1:
        raise UsageError(
            f"the procedure {recipe.procedure.name} cannot accumulate over {fabric.world_size} processes; set train.accumulate=1"
            f" and data.batch={recipe.data.batch * recipe.train.accumulate}, or take one process"
        )
    ema = EMA(assembly.network.to(fabric.device), recipe.train.ema or 0.0, apart=is_sharded(fabric))
    if recipe.train.checkpointing:  # after the average was copied, whose blocks would be those of the network
        checkpoint_blocks(assembly.network)
    slots = {name: _slot(recipe, procedure, name, fabric) for name in procedure.networks}
    if recipe.train.compile:  # after the average was copied, which meets photos of all sizes
        unwrapped(procedure.networks["network"]).compile(mode="reduce-overhead", dynamic=False)
    for module in (procedure.objective, *procedure.frozen):
        module.to(fabric.device)
    schedule = recipe.schedule
    plateau = Plateau(factor=schedule.factor, patience=schedule.patience) if isinstance(schedule, PlateauWish) else None
    run = TrainingLoop(
        recipe=recipe,
        asked=asked,
        fabric=fabric,
        procedure=procedure,
        slots=slots,
        ema=ema,
        length=assembly.stream.length,
        plateau=plateau,
        data=dict(data or {}),
    )
    if state is not None:
        run.restore(state)
    return run


def _slot(recipe: Recipe, procedure: Procedure, name: str, fabric: "Fabric") -> OptimizerSlot:
    """Wrap a module of a procedure, in its place, and make its optimiser; losses that learn go with the network."""
    module = procedure.networks[name].train()
    learnt = [parameter for parameter in procedure.objective.parameters() if parameter.requires_grad]
    extras = learnt if name == "network" else []
    options = recipe.discriminator if name == "discriminator" and recipe.discriminator is not None else recipe.optimiser
    wrapped = fabric.setup_module(module) if is_sharded(fabric) else None  # whose parameters are other ones from now on
    named = [*unwrapped(module).named_parameters(), *((f"losses.{place}", extra) for place, extra in enumerate(extras))]
    built = build(options, named, exempt=exempt_from_decay(unwrapped(module)))
    if wrapped is None:
        procedure.networks[name], optimiser = fabric.setup(module, built)
        return OptimizerSlot(optimiser=optimiser, extras=extras, clip=recipe.train.clip)
    procedure.networks[name], optimiser = wrapped, cast(Optimizer, fabric.setup_optimizers(built))
    single = [parameter for parameter in module.parameters() if parameter.requires_grad and not is_share(parameter)]
    return OptimizerSlot(optimiser=optimiser, extras=[*extras, *single], clip=recipe.train.clip)


def starting_weights(init: Path | None, recipe: Recipe) -> Path | None:
    """The file that a run starts from: ``init``, else that of the recipe; shipped weights go by their name.

    Raises WeightsError for shipped weights that are damaged.
    """
    wanted = init if init is not None else None if recipe.train.init is None else Path(recipe.train.init).expanduser()
    if wanted is None or wanted.exists() or str(wanted) not in rows():
        return wanted
    return locate(str(wanted))


def _start(assembly: Assembly, init: Path | None) -> list[str]:
    """Fill the network; returns the names of the tensors that stay at their first values though others were filled."""
    if init is None:
        if assembly.procedure.needs_start:
            raise UsageError("this procedure fine-tunes a trained network; name its checkpoint with --init FILE")
        return []
    new = initialise_from(assembly.network, init)
    if new:
        parts = dict.fromkeys(name.split(".")[0] for name in new)
        say(f"limpid: {init} does not hold all of {', '.join(parts)}; what it lacks starts at its first values")
    return new
