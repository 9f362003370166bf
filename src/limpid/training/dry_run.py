"""What a recipe would do: the resolved text, sizes, memory, the first batch, a sheet of what the network sees; nothing is kept."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from torch import Tensor, nn

from limpid.data.collate import collate
from limpid.errors import WeightsError
from limpid.evaluation.environment import Peak
from limpid.files import megabytes
from limpid.image.contact_sheet import ContactSheet
from limpid.recipe.load import Loaded, dump
from limpid.recipe.models import Item, Recipe
from limpid.runtime.device import choose_device
from limpid.training.assemble import Assembly, assemble, fill
from limpid.training.options import TrainOptions
from limpid.training.procedure import unwrapped
from limpid.training.processes import per_step
from limpid.training.trainer import room_of, run_recipe
from limpid.weights.fetch import forbidding_downloads

SHEET = "first_batches.png"
_ITEMS = 24
_STEPS = 2  # the moments of an optimiser are there from the second one on


def dry_run(loaded: Loaded, folder: Path, options: TrainOptions) -> str:
    """Lines for a person; writes ``first_batches.png`` into ``folder``.

    Two steps, with scores of the first photo of every set, are done in a folder that is removed again, and their memory is
    measured. Raises whatever a start would raise, but for backbones whose weights are not there: a line says so, and sizes are
    right all the same.
    """
    with forbidding_downloads(options.offline):
        return _looked_at(loaded, folder, options)


def _looked_at(loaded: Loaded, folder: Path, options: TrainOptions) -> str:
    assembly = assemble(loaded)
    missing: tuple[str, ...] = ()
    try:
        fill(assembly.procedure, options.backbone_weights)
    except WeightsError as error:
        missing = (f"to be done     {error}",)
        options = replace(options, backbone_weights="none")
    folder.mkdir(parents=True, exist_ok=True)
    memory = measured(loaded, folder, options)
    recipe = loaded.recipe
    items = range(min(recipe.data.batch, len(assembly.stream)))
    batch = collate([assembly.stream[index] for index in items], assembly.task)
    counts = ", ".join(f"{name} {_millions(unwrapped(module))}" for name, module in assembly.procedure.networks.items())
    steps = assembly.stream.length * recipe.train.epochs // per_step(recipe, recipe.train.devices * recipe.train.nodes)
    rest, peak = (room_of(assembly, recipe, replacing=replacing) / 1e9 for replacing in (False, True))
    truth = ", ".join(f"{name} {_shape(layer)}" for name, layer in batch.truth.items())
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(batch.kinds).items())
    lines = (
        dump(recipe).rstrip(),
        "",
        f"parameters     {counts}",
        f"steps          {steps} in {recipe.train.epochs} epochs of {assembly.stream.length} photos",
        f"memory         {memory}",
        f"disk           {rest:.2f} GB in {folder}, {peak:.2f} GB while a file is replaced",
        f"first batch    input {_shape(batch.input)}, {truth}; {kinds}",
        f"contact sheet  {write_sheet(assembly, folder)}",
        *missing,
    )
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Peaks in bytes: of the process, and of what is allocated on a GPU (None on the CPU); ``workers``: processes beside it."""

    process: int
    gpu: int | None
    workers: int

    def __str__(self) -> str:
        graphics = "" if self.gpu is None else f"{megabytes(self.gpu)} on the GPU and "
        beside = f"; each of {self.workers} workers takes its own beside that" if self.workers else ""
        return f"{graphics}{megabytes(self.process)} in main memory at the peak of {_STEPS} steps, scores and pictures{beside}"


def measured(loaded: Loaded, folder: Path, options: TrainOptions) -> Memory:
    """Do the first steps of a training in a folder below ``folder`` that is removed again, and watch the memory of this process."""
    device = choose_device({"gpu": "cuda"}.get(options.device, options.device))
    brief = replace(options, quiet=True, wandb=False, resume=False, from_epoch=None, max_steps=None, max_minutes=None)
    with TemporaryDirectory(dir=folder, prefix=".dry-run-") as scratch, Peak(device) as peak:
        run_recipe(replace(loaded, recipe=_shortened(loaded.recipe)), Path(scratch, "run"), brief)
    gpu = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return Memory(process=peak.highest, gpu=gpu, workers=loaded.recipe.data.workers)


def _shortened(recipe: Recipe) -> Recipe:
    """One epoch of two steps on one device, scored on one photo of each set."""
    data, train = recipe.data, recipe.train
    first: list[Item] = [item.model_copy(update={"count": 1}) for item in data.validation]
    tests = {label: item.model_copy(update={"count": 1}) for label, item in data.test.items()}
    items = {"epoch": _STEPS * data.batch * train.accumulate, "workers": 0, "validation": tuple(first), "test": tests}
    return recipe.model_copy(
        update={
            "data": data.model_copy(update=items),
            "train": train.model_copy(update={"epochs": 1, "devices": 1}),
            "log": recipe.log.model_copy(update={"images": min(1, recipe.log.images)}),
        }
    )


def write_sheet(assembly: Assembly, folder: Path) -> Path:
    """The first photos of the training with their layers, as one picture."""
    sheet = ContactSheet()
    for index in range(min(_ITEMS, len(assembly.stream))):
        pair = assembly.stream[index]
        sheet.add(f"{index} {pair.name}", {"input": pair.input, **pair.layers})
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet.pixels()).save(folder / SHEET)
    return folder / SHEET


def _millions(network: nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.2f} M"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape))
