"""What a recipe would do, without doing it: the resolved text, sizes, memory, the first batch, a sheet of what the network sees."""

from collections import Counter
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from limpid.data.collate import collate
from limpid.errors import WeightsError
from limpid.image.contact_sheet import ContactSheet
from limpid.layers.batch import Batch
from limpid.recipe.load import Loaded, dump
from limpid.training.assemble import Assembly, assemble, fill
from limpid.training.procedure import unwrapped
from limpid.training.trainer import room_of

SHEET = "first_batches.png"
_ITEMS = 24


def dry_run(loaded: Loaded, folder: Path, *, backbone_weights: str) -> str:
    """Lines for a person; writes ``first_batches.png`` into ``folder``.

    Raises whatever a start would raise, but for backbones whose weights are not there: a line says so, and sizes are right
    all the same.
    """
    assembly = assemble(loaded)
    try:
        fill(assembly.procedure, backbone_weights)
        missing: tuple[str, ...] = ()
    except WeightsError as error:
        missing = (f"to be done     {error}",)
    recipe = loaded.recipe
    items = range(min(recipe.data.batch, len(assembly.stream)))
    batch = collate([assembly.stream[index] for index in items], assembly.task)
    sheet = write_sheet(assembly, folder)
    modules = {name: unwrapped(module) for name, module in assembly.procedure.networks.items()}
    counts = ", ".join(f"{name} {_millions(module)}" for name, module in modules.items())
    held = sum(
        4 * parameter.numel() * (4 if parameter.requires_grad else 1)
        for module in modules.values()
        for parameter in module.parameters()
    )
    steps = assembly.stream.length * recipe.train.epochs // (recipe.data.batch * recipe.train.accumulate * recipe.train.devices)
    rest, peak = (room_of(assembly, recipe, replacing=replacing) / 1e9 for replacing in (False, True))
    truth = ", ".join(f"{name} {_shape(layer)}" for name, layer in batch.truth.items())
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(batch.kinds).items())
    lines = (
        dump(recipe).rstrip(),
        "",
        f"parameters     {counts}",
        f"steps          {steps} in {recipe.train.epochs} epochs of {assembly.stream.length} photos",
        f"memory         {held / 1e6:.0f} MB for weights, gradients and moments,"
        f" {activations(assembly, batch) / 1e6:.0f} MB for the activations of one batch in float32",
        f"disk           {rest:.2f} GB in {folder}, {peak:.2f} GB while a file is replaced",
        f"first batch    input {_shape(batch.input)}, {truth}; {kinds}",
        f"contact sheet  {sheet}",
        *missing,
    )
    return "\n".join(lines)


def write_sheet(assembly: Assembly, folder: Path) -> Path:
    """The first photos of the training with their layers, as one picture."""
    sheet = ContactSheet()
    for index in range(min(_ITEMS, len(assembly.stream))):
        pair = assembly.stream[index]
        sheet.add(f"{index} {pair.name}", {"input": pair.input, **pair.layers})
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet.pixels()).save(folder / SHEET)
    return folder / SHEET


def activations(assembly: Assembly, batch: Batch) -> int:
    """Bytes that the forward of the network keeps for its backward, in float32."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    own = {parameter.untyped_storage().data_ptr() for parameter in assembly.network.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layers = assembly.network.train()(batch.input)
    del layers
    return sum(size for place, size in kept.items() if place not in own)


def _millions(network: nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.2f} M"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape))
