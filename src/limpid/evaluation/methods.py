"""What is measured: the untouched input, networks, folders of outputs that somebody else's code wrote."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from limpid.backbones._backbone import Backbone
from limpid.data.manifest import sha256
from limpid.data.pairing import by_stem, listing
from limpid.errors import DataError, NoRoomError, UsageError
from limpid.evaluation.environment import Peak
from limpid.evaluation.items import Case, Item, resized
from limpid.evaluation.protocols import SizeRule
from limpid.evaluation.results import INPUT, ModelInfo
from limpid.image.read import read
from limpid.layers.task import TASKS
from limpid.runtime.memory import default_budget
from limpid.runtime.separator import SeparationOptions, Separator


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a model makes of a photo: (3, H, W), float32; what it took, seconds and bytes."""

    layer: Tensor
    seconds: float = 0.0
    peak_bytes: int = 0


class Method(Protocol):
    """One row of the table; both methods raise what a person must hear about a file, in one line."""

    info: ModelInfo

    def identity(self, item: Item) -> str:
        """All that decides the output besides the image."""

    def estimate(self, item: Item, case: Case, rule: SizeRule) -> Estimate:
        """What it makes of an opened image, in the size of the truth."""


class UntouchedInput:
    """The input as it is: what doing nothing scores."""

    info = ModelInfo(label=INPUT, description="the untouched input")

    def identity(self, item: Item) -> str:
        """The same for every image."""
        return INPUT

    def estimate(self, item: Item, case: Case, rule: SizeRule) -> Estimate:
        """The photo."""
        return Estimate(layer=case.photo.tensor())


class NetworkMethod:
    """A loaded network, in bounded memory.

    ``resolution``: ``full`` or ``auto``; ``budget``: bytes that the whole work on an image may take, None for the default of a
    machine, which is then options and not a limit. ``jobs``: how many of it work at once.
    """

    def __init__(self, separator: Separator, label: str, *, resolution: str, budget: int | None, jobs: int) -> None:
        self.separator, self.budget = separator, budget
        room = (default_budget() // jobs) if budget is None else budget
        self.options = SeparationOptions(resolution=resolution, max_memory=room)
        self.info = ModelInfo(
            label=label,
            description=f"{separator.name}: {type(separator.network).__name__}; {separator.entry.source}",
            weights=separator.sha256 or "",
            parameters=sum(parameter.numel() for parameter in separator.network.parameters()),
            device=str(separator.device),
            precision=separator.precision,
        )
        self._backbones = _fillings(separator)

    def identity(self, item: Item) -> str:
        """Weights and whatever else decides the output."""
        info = self.info
        return " ".join((info.weights, self._backbones, info.device.partition(":")[0], info.precision, self.options.resolution))

    def estimate(self, item: Item, case: Case, rule: SizeRule) -> Estimate:
        """The first layer of the network. Raises NoRoomError when a limit was set and the photo does not fit it."""
        primary = self.separator.task.layers[0]
        held = case.held + 4 * 3 * case.size[0] * case.size[1]
        plan = self.separator.plan(case.size, self.options, held=held)
        if self.budget is not None and plan.ram > self.budget:
            raise NoRoomError(
                f"{case.photo.name}: needs about {plan.ram / 1e6:.0f} MB, more than the {self.budget / 1e6:.0f} MB allowed;"
                " raise --max-memory or lower --jobs"
            )
        layer = torch.empty(3, *case.size)
        started = time.perf_counter()
        with Peak(self.separator.device) as peak:
            for band in self.separator.bands(case.photo, self.options, (primary,), plan):
                layer[:, band.top : band.bottom] = band.layers[primary]
        return Estimate(layer=layer, seconds=time.perf_counter() - started, peak_bytes=peak.bytes)


class SavedOutputs:
    """A folder of outputs: ``DIR/STEM.png``, or below it by set, by condition (``noise-25``), or by both."""

    def __init__(self, label: str, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"--outputs {label}={folder}: there is no such folder; name one that holds outputs by stem")
        self.folder = folder
        self.info = ModelInfo(label=label, description=f"outputs in {folder}")
        self._found: dict[Path, dict[str, Path]] = {}

    def identity(self, item: Item) -> str:
        """SHA-256 of the output. Raises DataError when it is missing."""
        return sha256(self._path(item))

    def estimate(self, item: Item, case: Case, rule: SizeRule) -> Estimate:
        """The output as it was written. Raises DataError for another size than that of the photo."""
        photo = read(self._path(item))
        if (photo.height, photo.width) == case.native:
            photo = resized(photo, rule)
        if (photo.height, photo.width) != case.size:
            height, width = case.native
            raise DataError(
                f"{photo.name} is {photo.width}×{photo.height}, but its truth {case.truth.name} is {width}×{height};"
                " nothing is resized here: write outputs in the size of their photos"
            )
        return Estimate(layer=photo.tensor())

    def _path(self, item: Item) -> Path:
        condition = "-".join(
            f"{name}-{value:g}" if isinstance(value, float) else f"{name}-{value}" for name, value in item.conditions.items()
        )
        name = item.set.partition("/")[0]
        folders = [self.folder / item.set / condition, self.folder / name / condition, self.folder / condition]
        stems = [item.name, *(f"{item.name}.{layer}" for layer in dict.fromkeys(task.layers[0] for task in TASKS.values()))]
        for folder in folders:
            for stem in stems:
                if stem in self._files(folder):
                    return self._files(folder)[stem]
        place = self.folder / condition / f"{item.name}.png"
        raise DataError(f"{place} is missing: there is no output of {self.info.label} for it; write it or leave out this model")

    def _files(self, folder: Path) -> dict[str, Path]:
        if folder not in self._found:
            files, double = by_stem(folder)
            if double:
                raise DataError(f"{folder} holds two outputs of one stem; {listing(double)}. Remove one of them.")
            self._found[folder] = files
        return self._found[folder]


def _fillings(separator: Separator) -> str:
    """SHA-256 of what was filled into the backbones of a network, which the hash of its file does not cover; empty without any."""
    backbones = [module for module in separator.network.modules() if isinstance(module, Backbone)]
    digest = hashlib.sha256()
    for tensor in (tensor for backbone in backbones for tensor in backbone.state_dict().values()):
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest() if backbones else ""
