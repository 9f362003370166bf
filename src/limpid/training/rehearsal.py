"""What can be found out before the first step, so that no run fails hours later: its data, its pictures, its device, its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from limpid.backbones._backbone import Backbone
from limpid.data.collate import collate
from limpid.data.sizes import OfManySizes, Sizes
from limpid.data.stream import Source
from limpid.errors import DataError, DeviceError, UnknownNameError, UsageError
from limpid.image.find import find
from limpid.layers.task import Task
from limpid.physics.seeds import generator
from limpid.recipe.models import Recipe
from limpid.runtime.device import choose_device
from limpid.runtime.separator import Separator
from limpid.training.validation import ScoredSet

DEVICES = ("auto", "cpu", "cuda", "gpu", "mps")
"""What ``--device`` takes."""


def check_device(device: str, devices: int) -> None:
    """Raise UnknownNameError or DeviceError unless this machine has as many such devices as processes are asked for."""
    if device not in DEVICES:
        raise UnknownNameError("device", device, DEVICES)
    kind = choose_device({"gpu": "cuda"}.get(device, device)).type
    most = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind, devices)
    if devices > most:
        raise DeviceError(f"train.devices asks for {devices} of {kind}, this machine has {most}; lower it, or take --device cpu")


def check_items(sources: Sequence[Source], task: Task, recipe: Recipe, length: int, multiple: int) -> None:
    """Draw an item of every source, and look at the headers of photos that nothing brings to one size.

    ``length``: items of an epoch; ``multiple``: what the network takes sides in multiples of. Raises DataError for items of unequal
    size that would meet in a batch and for sizes that the network does not take, and what the sources raise.
    """
    batch = recipe.data.batch
    changes = _crop_changes(recipe)
    if changes and length % batch:
        raise DataError(
            f"where crops change from epoch to epoch, batches may not lie across two of them: an epoch of {length} photos is no"
            f" multiple of data.batch {batch}; set data.epoch={length - length % batch or batch}"
        )
    for epoch in sorted({0, *changes}):
        drawn = [source.pair(0, epoch, generator(epoch, place, "rehearsal")) for place, source in enumerate(sources)]
        named = [replace(pair, name=f"data.train.{place}") for place, pair in enumerate(drawn)]
        for pair in drawn:
            collate([pair], task)
        collate(named if batch > 1 else named[:1], task)
        for pair in named:
            _check_multiple(pair.name, {(pair.input.shape[1], pair.input.shape[2])}, multiple, epoch)
    if batch > 1 or multiple > 1:  # else any size goes, and no header need be read
        _check_sizes(sources, batch, multiple)


def _crop_changes(recipe: Recipe) -> set[int]:
    """Epochs in which a crop changes."""
    augments = [recipe.data.augment, *(item.settings.get("augment") for item in recipe.data.train)]
    sides = [one.get(side) for one in augments if isinstance(one, Mapping) for side in ("crop", "stretch")]
    return {int(epoch) for side in sides if isinstance(side, Mapping) for epoch in side}


def _check_multiple(name: str, sizes: Sizes, multiple: int, epoch: int) -> None:
    unfit = next((size for size in sorted(sizes) if size[0] % multiple or size[1] % multiple), None)
    if unfit is not None:
        raise DataError(
            f"{name} gives photos of {unfit[1]}×{unfit[0]} in epoch {epoch + 1}; this network trains on multiples of {multiple}"
            f" pixels: set data.augment.crop={max(1, min(unfit) // multiple) * multiple}"
        )


def _check_sizes(sources: Sequence[Source], batch: int, multiple: int) -> None:
    for place, source in enumerate(sources):
        sizes = source.sizes() if isinstance(source, OfManySizes) else set()
        if len(sizes) > 1 and batch == 1:
            _check_multiple(f"data.train.{place}", sizes, multiple, 0)
        elif len(sizes) > 1:
            named = ", ".join(f"{width}×{height}" for height, width in sorted(sizes)[:3])
            raise DataError(
                f"data.train.{place} gives photos of several sizes ({named}{', …' * (len(sizes) > 3)}), which make no batch of"
                f" {batch}; set data.augment.crop, or data.batch to 1"
            )


def photos_of(folder: Path) -> list[Path]:
    """The photos of a folder that a recipe names as ``log.photos``. Raises DataError when there are none."""
    try:
        return [found.path for found in find([folder]).photos]
    except UsageError as error:
        raise DataError(f"log.photos: {error}") from error


def check_scores(sets: Sequence[ScoredSet], separator: Separator) -> None:
    """Score the first item of every part; raises whatever scoring would raise at the end of an epoch."""
    for scored in sets:
        for part in scored.parts:
            replace(scored, parts=[replace(part, count=1)]).score(separator)


def check_patience(recipe: Recipe) -> None:
    """Raise UsageError when a run is to stop early by scores that it does not have."""
    if recipe.train.patience is not None and not (recipe.data.validation and recipe.log.keep):
        raise UsageError("train.patience waits for better scores: it takes data.validate and log.keep of 1 or more")


def check_frozen(network: nn.Module, recipe: Recipe, started: bool, new: Sequence[str]) -> None:
    """Raise UsageError when a part that is frozen would stay random for ever.

    ``started``: whether the network holds somebody's weights; ``new``: names of the tensors that these did not hold. Backbones
    that were filled, or left random as asked for, are not the question.
    """
    for part in recipe.train.frozen:
        module = network.get_submodule(part)
        filled = tuple(f"{part}.{name}".rstrip(".") for name, one in module.named_modules() if isinstance(one, Backbone))
        own = [f"{part}.{name}" for name, _ in module.named_parameters() if not f"{part}.{name}".startswith(filled or ("\0",))]
        random = [name for name in own if not started or name in new]
        if random:
            raise UsageError(
                f"train.frozen holds {part}, whose weights would stay random ({random[0]}); give --init, or do not freeze it"
            )
