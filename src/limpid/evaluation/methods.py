"""What is measured: the untouched input, networks, folders of outputs that somebody else's code wrote."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.data.pairing import by_stem, listing
from limpid.errors import DataError, NoRoomError, UsageError
from limpid.evaluation.environment import Peak
from limpid.evaluation.items import Case, Item, resized
from limpid.evaluation.options import EvaluateOptions
from limpid.evaluation.protocols import SizeRule
from limpid.evaluation.results import INPUT, ModelInfo
from limpid.files import sha256
from limpid.image.photo import Photo
from limpid.layers.task import Task
from limpid.runtime.foreign import ForeignNetwork
from limpid.runtime.load import load_with
from limpid.runtime.memory import default_budget
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import Separator


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a model makes of a photo: layer → (3, H, W), float32; what it took, seconds and bytes."""

    layers: Mapping[str, Tensor]
    seconds: float = 0.0
    peak_bytes: int = 0


class Method(Protocol):
    """One row of the table; both methods raise what a person must hear about a file, in one line."""

    info: ModelInfo

    def identity(self, item: Item) -> str:
        """All that decides the output besides the image."""

    def estimate(self, item: Item, case: Case, names: Sequence[str], rule: SizeRule) -> Estimate:
        """What it makes of an opened image, in the size of the truth: the layers ``names``."""


class UntouchedInput:
    """The input as it is, and what a task's law leaves beside it: what doing nothing scores."""

    info = ModelInfo(label=INPUT, description="the untouched input")

    def __init__(self, task: Task) -> None:
        self.task = task

    def identity(self, item: Item) -> str:
        """The same for every image."""
        return INPUT

    def estimate(self, item: Item, case: Case, names: Sequence[str], rule: SizeRule) -> Estimate:
        """The photo as the first layer, or as every layer."""
        answer = self.task.trivial(case.photo.tensor())
        return Estimate(layers={name: answer[name] for name in names})


class NetworkMethod:
    """A loaded network, in bounded memory.

    ``resolution``: ``full`` or ``auto``; ``budget``: bytes that the whole work on an image may take, None for the default of a
    machine, which is then options and not a limit. ``jobs``: how many of it work at once. ``clamped``: that of the protocol.
    """

    def __init__(
        self,
        separator: Separator,
        label: str,
        *,
        resolution: Literal["full", "auto"],
        budget: int | None,
        jobs: int,
        clamped: bool = True,
    ) -> None:
        self.separator, self.budget, self.clamped = separator, budget, clamped
        room = (default_budget() // jobs) if budget is None else budget
        self.options = SeparationOptions(resolution=resolution, max_memory=room)
        self.info = ModelInfo(
            label=label,
            description=_says(separator),
            weights=separator.sha256 or "",
            parameters=sum(parameter.numel() for parameter in separator.network.parameters()),
            device=str(separator.device),
            precision=separator.precision,
        )
        self._backbones = _fillings(separator)
        tensors = (*separator.network.parameters(), *separator.network.buffers())
        self._held = sum(tensor.nbytes for tensor in tensors if tensor.device.type == "cpu")  # a GPU's count has them already

    def identity(self, item: Item) -> str:
        """Weights, or what a method without any says of itself, and whatever else decides the output."""
        info, kind = self.info, self.info.device.partition(":")[0]
        return " ".join((info.weights or info.description, self._backbones, kind, info.precision, self.options.resolution))

    def estimate(self, item: Item, case: Case, names: Sequence[str], rule: SizeRule) -> Estimate:
        """Layers of the network. Raises NoRoomError when a limit was set and the photo does not fit it."""
        made = 4 * 3 * case.size[0] * case.size[1] * len(names)
        plan = self.separator.plan(case.size, self.options, held=case.held, layers=made)
        if self.budget is not None and plan.most is not None and plan.most > self.budget:
            raise NoRoomError(
                f"{case.photo.name}: needs up to {plan.most / 1e6:.0f} MB, more than the {self.budget / 1e6:.0f} MB allowed;"
                " raise --max-memory or lower --jobs"
            )
        layers = {name: torch.empty(3, *case.size) for name in names}
        started = time.perf_counter()
        with Peak(self.separator.device) as peak:
            for band in self.separator.bands(case.photo, self.options, names, plan, clamped=self.clamped):
                for name, layer in layers.items():
                    layer[:, band.top : band.bottom] = band.layers[name]
        return Estimate(layers=layers, seconds=time.perf_counter() - started, peak_bytes=self._held + peak.bytes)


class SavedOutputs:
    """A folder of outputs: ``DIR/STEM.png``, or below it by set, by condition (``noise-25``), or by both.

    A layer other than the task's first is named: ``STEM.shading.png``. ``clamped``: that of the protocol; without it float TIFFs
    are taken as they are, beyond 0…1.
    """

    def __init__(self, label: str, folder: Path, task: Task, *, clamped: bool = True) -> None:
        if not folder.is_dir():
            raise UsageError(f"--outputs {label}={folder}: there is no such folder; name one that holds outputs by stem")
        self.folder, self.task, self.clamped = folder, task, clamped
        self.info = ModelInfo(label=label, description=f"outputs in {folder}")
        self._found: dict[Path, dict[str, Path]] = {}

    def identity(self, item: Item) -> str:
        """SHA-256 of the outputs. Raises DataError when the first layer's is missing."""
        there = [layer for layer in self.task.layers if layer == self.task.primary or self._find(item, layer) is not None]
        return " ".join(sha256(self._path(item, layer)) for layer in there)

    def estimate(self, item: Item, case: Case, names: Sequence[str], rule: SizeRule) -> Estimate:
        """The outputs as they were written. Raises DataError for another size than that of the photo and for a missing file."""
        return Estimate(layers={name: self._layer(item, self._path(item, name), case, rule) for name in names})

    def _layer(self, item: Item, path: Path, case: Case, rule: SizeRule) -> Tensor:
        photo = (None if self.clamped else _float_tiff(path)) or item.read(path)
        if (photo.height, photo.width) == case.native:
            photo = resized(photo, rule)
        if (photo.height, photo.width) != case.size:
            height, width = case.native
            raise DataError(
                f"{photo.name} is {photo.width}×{photo.height}, but {case.photo.name} is {width}×{height};"
                " nothing is resized here: write outputs in the size of their photos"
            )
        return photo.tensor()

    def _path(self, item: Item, layer: str) -> Path:
        found = self._find(item, layer)
        if found is None:
            name = f"{item.name}.png" if layer == self.task.primary else f"{item.name}.{layer}.png"
            place = self.folder / condition_folder(item) / name
            raise DataError(f"{place} is missing: there is no output of {self.info.label} for it; write it or leave out this model")
        return found

    def _find(self, item: Item, layer: str) -> Path | None:
        condition, name = condition_folder(item), item.set.partition("/")[0]
        folders = [self.folder / item.set / condition, self.folder / name / condition, self.folder / condition]
        place = PurePosixPath(item.name)
        stems = [*([place.name] if layer == self.task.primary else []), f"{place.name}.{layer}"]
        found = (self._files(folder / place.parent).get(stem) for folder in folders for stem in stems)
        return next((path for path in found if path is not None), None)

    def _files(self, folder: Path) -> dict[str, Path]:
        if folder not in self._found:
            files, problems = by_stem(folder)
            double = [problem for problem in problems if problem.rule is None]
            if double:
                raise DataError(f"{folder} holds two outputs of one stem; {listing(double)}. Remove one of them.")
            self._found[folder] = files
        return self._found[folder]


def open_methods(options: EvaluateOptions, tasks: Sequence[Task], budget: int | None, clamped: bool) -> dict[str, Method]:
    """Label → the untouched input, every network and every folder of outputs, in the order of the table.

    ``tasks``: what the sets measure, which share their layers; ``budget`` and ``clamped``: those of ``NetworkMethod``. Raises
    UsageError for labels that are taken and what ``separator`` raises.
    """
    candidates: dict[str, Method] = {INPUT: UntouchedInput(tasks[0])}
    for label in (*options.models, *options.outputs):
        if label == INPUT or (label in options.models and label in options.outputs):
            raise UsageError(f"{label!r} names {'the untouched input' if label == INPUT else 'two models'}; choose another label")
    for label, name in options.models.items():
        candidates[label] = NetworkMethod(
            separator(options, tasks, name),
            label,
            resolution=options.resolution,
            budget=budget,
            jobs=options.jobs,
            clamped=clamped,
        )
    for label, folder in options.outputs.items():
        candidates[label] = SavedOutputs(label, folder, tasks[0], clamped=clamped)
    return candidates


def separator(options: EvaluateOptions, tasks: Sequence[Task], name: str) -> Separator:
    """A network by name, for the first of the tasks that it does; raises UsageError when it does none, and what ``load`` raises."""
    if name == "default" and len(tasks) > 1:
        several = " and ".join(task.name for task in tasks)
        raise UsageError(f"these sets measure {several}, which have defaults of their own; name networks: see `limpid models`")
    refusals = []
    for task in tasks:
        # --backbone-weights is for all models, and this one may have no backbone to fill
        for weights in dict.fromkeys((options.backbone_weights, "pretrained")):
            try:
                return load_with(name, replace(options, backbone_weights=weights), task.name)
            except UsageError as refusal:
                refusals.append(refusal)
    raise refusals[-1]


def _float_tiff(path: Path) -> Photo | None:
    """A TIFF of three float32 channels as it was written, values beyond 0…1 included; None for every other file."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return None
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.float32 or pixels.ndim != 3 or pixels.shape[2] != 3:
        return None
    return Photo(pixels=np.ascontiguousarray(pixels[..., ::-1]), name=str(path))


def _says(separator: Separator) -> str:
    """Network and source; of a method without weights its name."""
    network = separator.network
    if not isinstance(network, ForeignNetwork) and separator.model not in catalogue.names("models"):
        return f"{separator.name}: a method without weights"
    source = network.source if isinstance(network, ForeignNetwork) else catalogue.find("models", separator.model).source
    return f"{separator.name}: {type(network).__name__}; {source}"


def condition_folder(item: Item) -> str:
    """Folder of an image's degradation: ``noise-25``; empty without one."""
    named = (f"{name}-{value:g}" if isinstance(value, float) else f"{name}-{value}" for name, value in item.conditions.items())
    return "-".join(named)


def _fillings(separator: Separator) -> str:
    """SHA-256 of what was filled into the backbones of a network, which the hash of its file does not cover; empty without any."""
    backbones = [module for module in separator.network.modules() if isinstance(module, Backbone)]
    digest = hashlib.sha256()
    for tensor in (tensor for backbone in backbones for tensor in backbone.state_dict().values()):
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest() if backbones else ""
