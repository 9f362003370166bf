"""What can be synthesised into files: leaves, scenes, pairs and kernels, each drawn as plain data apart from being made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Protocol
from zipfile import ZipFile, ZipInfo

import numpy as np
import torch
from torch import Tensor

from limpid import catalogue
from limpid.data.augment import Augment
from limpid.data.options import Size
from limpid.data.pairing import FOLDERS
from limpid.data.photographs import Photographs
from limpid.data.single_thread import one_thread
from limpid.errors import DataError, SettingError
from limpid.image.write import write
from limpid.physics.degradation import degrade
from limpid.physics.degradations.motion_blur import MotionBlur, kernel_of
from limpid.physics.formation import Parameters
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart
from limpid.physics.scenes.scene import Scenes, scene
from limpid.physics.seeds import generator

Pictures = Mapping[str, Tensor]
"""Role of a layer → (3, H, W), what a contact sheet shows of an item."""

KERNEL_FILE = "kernels.npz"
_SMALLEST = 0.5  # of the largest window that a photo holds: so far a crop may zoom in


class Kind(Protocol):
    """One kind of synthetic data: items are drawn as plain data, and files are made from that alone."""

    def draw(self, seed: int, index: int) -> Parameters:
        """Everything about item ``index``, as JSON holds it."""

    def write(self, items: Mapping[str, Parameters], folder: Path) -> Iterator[Pictures]:
        """Write the files of all items, by name, below ``folder``; yields the pictures of each as it is done."""


@dataclass(frozen=True, kw_only=True)
class LeafCharts:
    """Dead leaves charts of ``size``, or, with ``degradations`` (names), pairs of degraded and sharp ones.

    ``photos`` lend natural colours; ``published``: charts are seeded as the published collections are.
    """

    settings: Chart
    size: Size
    photos: Sequence[Tensor] = ()
    degradations: tuple[str, ...] = ()
    published: bool = False

    def draw(self, seed: int, index: int) -> Parameters:
        """The seed of the chart (``published``: of NumPy's own generator) and the parameters of each degradation."""
        steps = []
        for place, name in enumerate(self.degradations):
            degradation = catalogue.find("degradations", name).build()
            drawn = degradation.draw(generator(seed, index, name, place), self.size)
            steps.append({"degradation": name, "parameters": dict(drawn)})
        chosen = {"numpy_seed": seed + index} if self.published else {"seed": seed, "index": index}
        return {**chosen, "steps": steps} if steps else chosen

    def write(self, items: Mapping[str, Parameters], folder: Path) -> Iterator[Pictures]:
        """``NAME.png``, or ``blended/`` (degraded) and ``transmission_layer/`` (sharp)."""
        return _write_all(self.make, items, folder)

    @one_thread()
    def make(self, parameters: Parameters) -> Pictures:
        """The chart that was drawn, or its degraded and its sharp version."""
        sharp = chart(self.settings, self.size, _chart_stream(parameters), photos=self.photos)
        if "steps" not in parameters:
            return {"photo": sharp}
        steps = [(catalogue.find("degradations", step["degradation"]).build(), step["parameters"]) for step in parameters["steps"]]
        degraded = degrade(sharp, steps)
        return {"input": degraded.image, "transmission": degraded.target}


@dataclass(frozen=True, kw_only=True)
class PaintedScenes:
    """Scenes without glass of ``size``: walls, paper, sky, …, which networks take for reflections."""

    settings: Scenes
    size: Size

    def draw(self, seed: int, index: int) -> Parameters:
        """The kind, by turns, and the seed of the scene."""
        kinds = self.settings.kinds
        return {"scene": kinds[index % len(kinds)], "seed": seed, "index": index}

    def write(self, items: Mapping[str, Parameters], folder: Path) -> Iterator[Pictures]:
        """``NAME.png``."""
        return _write_all(self.make, items, folder)

    def make(self, parameters: Parameters) -> Pictures:
        """The scene that was drawn."""
        stream = generator(parameters["seed"], parameters["index"], "scene")
        return {"photo": scene(parameters["scene"], self.size, stream)}


@dataclass(frozen=True, kw_only=True)
class GlassPairs:
    """Two different photos of ``photos``, cropped to ``size`` and blended by one of ``mixtures`` (names)."""

    mixtures: tuple[str, ...]
    size: Size
    photos: Photographs

    def __post_init__(self) -> None:
        for name in self.mixtures:
            catalogue.find("mixtures", name)
        if len(self.photos) < 2:
            raise DataError(f"blending needs at least two photos; {self.photos.folder} holds {len(self.photos)}")

    def draw(self, seed: int, index: int) -> Parameters:
        """Which photos, windows and flips; which mixture and what it drew."""
        stream = generator(seed, index, "pair")
        behind, mirrored = (self.photos.names[place] for place in stream.choice(len(self.photos), 2, replace=False))
        layers = {role: self._window(name, stream) for role, name in (("transmission", behind), ("reflection", mirrored))}
        mixture = self.mixtures[stream.integers(len(self.mixtures))]
        drawn = catalogue.find("mixtures", mixture).build().draw(stream, self.size)
        return {**layers, "mixture": mixture, "parameters": dict(drawn)}

    def write(self, items: Mapping[str, Parameters], folder: Path) -> Iterator[Pictures]:
        """``blended/``, ``transmission_layer/`` and ``reflection_layer/``."""
        return _write_all(self.make, items, folder)

    @one_thread()
    def make(self, parameters: Parameters) -> Pictures:
        """The pair that was drawn."""
        behind, mirrored = (self._crop(parameters[role]) for role in ("transmission", "reflection"))
        formation = catalogue.find("mixtures", parameters["mixture"]).build()
        mixture = formation.apply(behind, mirrored, parameters["parameters"])
        return {"input": mixture.input, "transmission": mixture.transmission, "reflection": mixture.reflection}

    def _window(self, name: str, stream: np.random.Generator) -> dict[str, Any]:
        """A window of the right shape, half to all of what the photo holds; read by ``Augment.apply``."""
        height, width = self.photos.size(name)
        share = min(height / self.size[0], width / self.size[1]) * sqrt(stream.uniform(_SMALLEST**2, 1.0))
        tall, wide = share * self.size[0], share * self.size[1]
        top, left = stream.random() * (height - tall), stream.random() * (width - wide)
        flip = bool(stream.random() < 0.5)
        return {"photo": name, "box": [left, top, left + wide, top + tall], "size": list(self.size), "flip": flip, "turns": 0}

    def _crop(self, window: Parameters) -> Tensor:
        return Augment().apply(self.photos.load(window["photo"]), window)


@dataclass(frozen=True, kw_only=True)
class ShakeKernels:
    """Kernels of camera shake; ``size`` pads all to one odd size, None leaves each as large as it needs."""

    settings: MotionBlur
    size: Size | None = None

    def __post_init__(self) -> None:
        if self.size is not None and not all(side % 2 for side in self.size):
            raise SettingError(f"kernels have odd sizes; got {self.size[0]}x{self.size[1]}")

    def draw(self, seed: int, index: int) -> Parameters:
        """Extent and seed of the shake."""
        return self.settings.draw(generator(seed, index, "kernel"), (0, 0))

    def write(self, items: Mapping[str, Parameters], folder: Path) -> Iterator[Pictures]:
        """All kernels, float64, by name in ``kernels.npz``; the pictures are scaled to the brightest pixel."""
        with ZipFile(folder / KERNEL_FILE, "w") as archive:
            for name, parameters in items.items():
                kernel = self.make(parameters)
                with archive.open(ZipInfo(f"{name}.npy"), "w") as file:  # as numpy.savez does; a ZipInfo bears no date of today
                    np.lib.format.write_array(file, kernel)
                yield {"photo": torch.from_numpy(kernel / kernel.max()).float().expand(3, -1, -1)}

    def make(self, parameters: Parameters) -> np.ndarray:
        """The kernel that was drawn, (h, w), sum 1; raises SettingError when it is larger than ``size``."""
        kernel = kernel_of(parameters)
        if self.size is None:
            return kernel
        down, across = ((side - own) // 2 for side, own in zip(self.size, kernel.shape, strict=True))
        if min(down, across) < 0:
            needed = f"{kernel.shape[0]}x{kernel.shape[1]}"
            raise SettingError(f"a kernel needs {needed}; ask for a larger --size or smaller classes (--set classes=[small])")
        return np.pad(kernel, ((down, down), (across, across)))


def _write_all(make: Callable[[Parameters], Pictures], items: Mapping[str, Parameters], folder: Path) -> Iterator[Pictures]:
    for name, parameters in items.items():
        pictures = make(parameters)
        for role, picture in pictures.items():
            write(picture, folder / FOLDERS[role] / f"{name}.png")
        yield pictures


def _chart_stream(parameters: Parameters) -> np.random.Generator:
    if "numpy_seed" in parameters:
        return np.random.default_rng(np.random.SeedSequence(parameters["numpy_seed"]))
    return generator(parameters["seed"], parameters["index"], "chart")
