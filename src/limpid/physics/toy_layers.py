"""Toy layers that differ in kind and compose a picture: what learning without pairs is tried on in a minute of a CPU.

``shapes`` and ``three_shapes`` follow the authors' generator (DreamtaleCore/USIS, commit 53a91ca), the others were chosen by the
specification because a small network learns them soon. Values 0…1, sRGB-encoded; layers that add up take equal shares of the
picture.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from torch import Tensor

Draw = Callable[[np.random.Generator, int], np.ndarray]
"""A grey picture (side, side), or a coloured one (3, side, side), 0…1."""


@dataclass(frozen=True, kw_only=True)
class Toy:
    """Layer → how it is drawn, in the order of the ``task``.

    ``shared``: two layers are multiplied by 2α and 2 − 2α first, α uniform in 0.2…0.8, anew for every picture.
    """

    task: str
    layers: Mapping[str, Draw]
    shared: bool = False


def draw_layers(toy: Toy, side: int, generator: np.random.Generator) -> dict[str, Tensor]:
    """The layers of one picture by name, (3, side, side), float32."""
    pictures = {name: draw(generator, side) for name, draw in toy.layers.items()}
    share = 2 * generator.uniform(0.2, 0.8)
    weights = (share, 2 - share) if toy.shared else (1.0,) * len(pictures)
    return {name: _coloured(weight * picture) for (name, picture), weight in zip(pictures.items(), weights, strict=True)}


def stripes(generator: np.random.Generator, side: int) -> np.ndarray:
    """Sharp oriented stripes: 4 to 8 per picture, a sigmoid of 8·sin, levels lo in 0.1…0.4 and 0.3…0.6 above."""
    right, down = _grid(side)
    angle, phase = generator.uniform(0, pi), generator.uniform(0, 2 * pi)
    wave = np.sin(2 * pi * generator.uniform(4, 8) * (np.cos(angle) * right + np.sin(angle) * down) + phase)
    low = generator.uniform(0.1, 0.4)
    return np.asarray(low + generator.uniform(0.3, 0.6) / (1 + np.exp(-8 * wave)))


def blobs(generator: np.random.Generator, side: int) -> np.ndarray:
    """The clipped sum of three Gaussian blobs, σ 0.12 to 0.27 of the side, amplitude 0.3 to 0.8."""
    right, down = _grid(side)
    total = np.zeros((side, side))
    for _ in range(3):
        x, y, sigma = generator.random(), generator.random(), generator.uniform(0.12, 0.27)
        total += generator.uniform(0.3, 0.8) * np.exp(-((right - x) ** 2 + (down - y) ** 2) / (2 * sigma**2))
    return np.asarray(total.clip(0, 1))


def dots(generator: np.random.Generator, side: int) -> np.ndarray:
    """A grid of small bright discs on black: 4 to 6 a side, turned and shifted at random."""
    right, down = _grid(side)
    angle, count = generator.uniform(0, pi / 2), generator.uniform(4, 6)
    across, along = np.cos(angle) * right + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * right
    cells = [(axis * count + generator.random()) % 1 - 0.5 for axis in (across, along)]
    return np.asarray(generator.uniform(0.6, 1) / (1 + np.exp(40 * (np.hypot(*cells) - 0.25))))


def voronoi(generator: np.random.Generator, side: int) -> np.ndarray:
    """Six cells of constant value, 0.2 to 1."""
    right, down = _grid(side)
    x, y = generator.random((2, 6))
    nearest = np.argmin((right[..., None] - x) ** 2 + (down[..., None] - y) ** 2, axis=-1)
    return np.asarray(generator.uniform(0.2, 1, 6)[nearest])


def square(generator: np.random.Generator, side: int) -> np.ndarray:
    """A filled coloured square on black, its side 0.1 to 0.6 of the picture's."""
    right, down = np.meshgrid(np.arange(side), np.arange(side))
    extent, (x, y) = round((0.1 + 0.5 * generator.random()) * side), generator.uniform(0, 0.6 * side, 2)
    return _filled(generator, (right >= x) & (right < x + extent) & (down >= y) & (down < y + extent))


def disc(generator: np.random.Generator, side: int) -> np.ndarray:
    """A filled coloured disc on black, its radius 0.1 to 0.6 of the picture's side."""
    right, down = np.meshgrid(np.arange(side), np.arange(side))
    radius, (x, y) = round((0.1 + 0.5 * generator.random()) * side), generator.uniform(0, 0.6 * side, 2)
    return _filled(generator, np.hypot(right - x, down - y) <= radius)


def triangle(generator: np.random.Generator, side: int) -> np.ndarray:
    """A filled coloured triangle of equal sides on black, in the circle of radius 0.1 to 0.6 of the picture's side."""
    right, down = np.meshgrid(np.arange(side), np.arange(side))
    radius, (x, y) = round((0.1 + 0.5 * generator.random()) * side), generator.uniform(0, 0.6 * side, 2)
    turns = generator.uniform(0, 2 * pi) + np.arange(3) * 2 * pi / 3 + pi / 3  # directions of the middles of its sides
    inside = [np.cos(turn) * (right - x) + np.sin(turn) * (down - y) <= radius / 2 for turn in turns]
    return _filled(generator, np.logical_and.reduce(inside))


def _raised(draw: Draw, low: float) -> Draw:
    """The same picture between ``low`` and 1: a factor that hides nothing."""
    return lambda generator, side: low + (1 - low) * draw(generator, side)


def _filled(generator: np.random.Generator, inside: np.ndarray) -> np.ndarray:
    return np.asarray(generator.integers(50, 220, 3)[:, None, None] / 255 * inside)


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    middles = (np.arange(side) + 0.5) / side
    right, down = np.meshgrid(middles, middles)
    return right, down


def _coloured(picture: np.ndarray) -> Tensor:
    planes = np.broadcast_to(picture, (3, *picture.shape[-2:]))
    return torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32))


TOYS: Mapping[str, Toy] = {
    "texblob": Toy(task="layers_2", layers={"layer_1": stripes, "layer_2": blobs}),
    "shapes": Toy(task="layers_2", layers={"layer_1": square, "layer_2": disc}, shared=True),
    "intr": Toy(task="intrinsic", layers={"albedo": voronoi, "shading": _raised(blobs, 0.25)}),
    "intr2": Toy(task="intrinsic", layers={"albedo": _raised(stripes, 0.3), "shading": _raised(blobs, 0.25)}),
    "three": Toy(task="layers_3", layers={"layer_1": stripes, "layer_2": blobs, "layer_3": dots}),
    "three_shapes": Toy(task="layers_3", layers={"layer_1": square, "layer_2": disc, "layer_3": triangle}),
}
"""Name → toy."""
