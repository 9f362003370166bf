"""Fills of leaves: how far each pixel lies on the way from the leaf's first colour to its second."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from limpid.physics.leaves.geometry import Leaves
from limpid.physics.leaves.settings import FILLS, Chart

_FIELDS = 3  # noise textures per chart; each leaf looks at one of them at its own place
_SIDE = 512  # pixels of such a texture, which repeats without a seam
_NO_FIELDS = np.empty((0, 1, 1), np.float32)


@dataclass(frozen=True, eq=False, kw_only=True)
class Fills:
    """How n leaves are filled. ``kind``: (n,) int8, place in ``FILLS``. ``others``: (n, 3) float32, the second colour, 0…1.

    ``turn``: (n,) direction, radians. ``period``: (n,) canvas pixels. ``grid``: (n,) bool, waves in two directions.
    ``place``: (n, 3) texture, row and column at which a leaf looks. ``fields``: (k, s, s) float32, mean 0, deviation 1.
    ``contrast``: their weight.
    """

    kind: np.ndarray
    others: np.ndarray
    turn: np.ndarray
    period: np.ndarray
    grid: np.ndarray
    place: np.ndarray
    fields: np.ndarray
    contrast: float


def draw_fills(settings: Chart, leaves: Leaves, others: np.ndarray, generator: np.random.Generator) -> Fills:
    """Draw the fill of each leaf; ``others``: (n, 3) second colours. Leaves smaller than ``fill_from`` stay flat."""
    count = len(leaves)
    weights = np.array([settings.fills.get(name, 0.0) for name in FILLS])
    kind = generator.choice(len(FILLS), count, p=weights / weights.sum()).astype(np.int8)
    kind[leaves.radius < settings.fill_from] = FILLS.index("flat")
    shortest, longest = np.log(settings.period)
    noisy = bool((kind == FILLS.index("noise")).any())
    return Fills(
        kind=kind,
        others=others,
        turn=generator.uniform(0, 2 * np.pi, count),
        period=np.exp(generator.uniform(shortest, longest, count)),
        grid=generator.random(count) < 0.5,
        place=generator.integers(0, (_FIELDS, _SIDE, _SIDE), (count, 3)),
        fields=_fields(settings, generator) if noisy else _NO_FIELDS,
        contrast=settings.contrast,
    )


def published_fills(colours: np.ndarray) -> Fills:
    """Fills of the published primitives, from colours (n, 3).

    Disks and diamonds (i mod 4 < 2) run from their colour at the rim to the same with channels turned round in the middle;
    the others are flat.
    """
    index = np.arange(len(colours))
    nothing = np.zeros(len(colours))
    return Fills(
        kind=np.where(index % 4 < 2, FILLS.index("radial"), FILLS.index("flat")).astype(np.int8),
        others=np.roll(colours, -1, axis=1),
        turn=nothing,
        period=nothing,
        grid=nothing,
        place=np.zeros((len(colours), 3), dtype=np.int64),
        fields=_NO_FIELDS,
        contrast=0.0,
    )


def share(name: str, fills: Fills, leaves: Leaves, leaf: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Share of the second colour, (k,) float32, 0…1, at canvas points (``rows``, ``columns``) of leaves ``leaf``.

    ``name``: the fill of all these leaves, not ``flat``.
    """
    right, down = columns - leaves.x[leaf], rows - leaves.y[leaf]
    if name == "noise":
        field, top, left = fills.place[leaf].T
        values = fills.fields[field, (rows + top) % fills.fields.shape[1], (columns + left) % fills.fields.shape[2]]
        return np.asarray(np.clip(0.5 + fills.contrast * values, 0, 1))
    return _SHADES[name](fills, leaf, right, down, leaves.radius[leaf]).astype(np.float32)


def noise_field(generator: np.random.Generator, slope: float, side: int = _SIDE) -> np.ndarray:
    """Gaussian noise of amplitude spectrum 1/f^``slope``: (side, side) float32, periodic, mean 0, standard deviation 1."""
    white = torch.from_numpy(generator.standard_normal((side, side), dtype=np.float32))
    frequency = torch.hypot(torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None])
    frequency[0, 0] = torch.inf  # no mean
    field = torch.fft.irfft2(torch.fft.rfft2(white) * frequency**-slope, s=(side, side))
    return np.asarray((field / field.std()).numpy())


def _fields(settings: Chart, generator: np.random.Generator) -> np.ndarray:
    return np.stack([noise_field(generator, generator.uniform(*settings.slope)) for _ in range(_FIELDS)])


def _linear(fills: Fills, leaf: np.ndarray, right: np.ndarray, down: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """From 0 at one end of the circle around the leaf to 1 at the other."""
    turn = fills.turn[leaf]
    return np.asarray(0.5 + 0.5 * (np.cos(turn) * right + np.sin(turn) * down) / radius)


def _radial(fills: Fills, leaf: np.ndarray, right: np.ndarray, down: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """1 in the middle, 0 on the circle around the leaf and beyond it, where a published band sticks out."""
    return np.asarray(1 - np.minimum((right * right + down * down) / (radius * radius), 1))


def _periodic(fills: Fills, leaf: np.ndarray, right: np.ndarray, down: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """A sine wave along the leaf's direction, times one across it where the leaf has a grid."""
    cos, sin, pace = np.cos(fills.turn[leaf]), np.sin(fills.turn[leaf]), 2 * np.pi / fills.period[leaf]
    wave = np.sin(pace * (cos * right + sin * down))
    across = np.where(fills.grid[leaf], np.sin(pace * (cos * down - sin * right)), 1.0)
    return np.asarray(0.5 + 0.5 * wave * across)


_SHADES: dict[str, Callable[[Fills, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "linear": _linear,
    "radial": _radial,
    "periodic": _periodic,
}
