"""Which leaves fall: the stationary law, exact for a window, and the published one."""

from math import ceil, log, pi

import numpy as np

from limpid.physics.leaves.geometry import Leaves, disks, outlines
from limpid.physics.leaves.settings import Chart
from limpid.physics.leaves.shapes import SHAPES, gather, lay

Size = tuple[int, int]
"""Height and width in canvas pixels."""

_LEAVES_PER_SIDE = 30  # of the published law, per pixel of the longer side


def mass(exponent: float, low: float, high: float) -> float:
    """Integral of r^(−exponent) over ``low``…``high``; the integrand itself where these are equal, for laws of one radius."""
    power = 1 - exponent
    if low == high:
        return float(low**-exponent)
    return log(high / low) if abs(power) < 1e-9 else (high**power - low**power) / power


def radii(share: np.ndarray, exponent: float, low: float, high: float) -> np.ndarray:
    """Inverse of the cumulative law of density ∝ r^(−exponent) on ``low``…``high``, at ``share`` in [0, 1)."""
    power = 1 - exponent
    if abs(power) < 1e-9:
        drawn = low * (high / low) ** share
    else:
        drawn = (low**power + share * (high**power - low**power)) ** (1 / power)
    return np.asarray(np.clip(drawn, low, high))


def hit_weights(settings: Chart, size: Size) -> tuple[float, float, float]:
    """Shares of r^(−α), r^(1−α) and r^(2−α) in the law of leaves whose circle can touch the window.

    A circle of radius r touches it with intensity ∝ r^(−α)·(W + 2r)(H + 2r) = WH·r^(−α) + 2(W + H)·r^(1−α) + 4·r^(2−α).
    """
    height, width = size
    alpha, (low, high) = settings.alpha, settings.radius
    return (
        height * width * mass(alpha, low, high),
        2 * (height + width) * mass(alpha - 1, low, high),
        4 * mass(alpha - 2, low, high),
    )


def coverage(settings: Chart, size: Size) -> float:
    """Probability that one leaf of the stationary law, were it a disk, covers a given pixel: E[πr²] / E[(W + 2r)(H + 2r)]."""
    return pi * mass(settings.alpha - 2, *settings.radius) / sum(hit_weights(settings, size))


def draw(settings: Chart, generator: np.random.Generator, size: Size, count: int) -> Leaves:
    """The next ``count`` leaves of the stationary law on a window of ``size``.

    Radius by the law of leaves that can touch the window, centre uniform in the window widened by it on each side: seen from
    any pixel, corners included, the leaves are those of an endless plane (perfect simulation; Kendall & Thönnes, 1999).
    """
    height, width = size
    weights = np.array(hit_weights(settings, size))
    part = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], generator.random(count), side="right")
    share = generator.random(count)
    radius = np.empty(count)
    for place in range(3):
        chosen = part == place
        radius[chosen] = radii(share[chosen], settings.alpha - place, *settings.radius)
    x = generator.random(count) * (width + 2 * radius) - (radius + 0.5)
    y = generator.random(count) * (height + 2 * radius) - (radius + 0.5)
    return lay(x, y, radius, _kinds(settings, generator, count), settings.aspect, generator)


def draw_published(settings: Chart, generator: np.random.Generator, size: Size) -> Leaves:
    """All leaves of the published law: whole-number centres inside the frame, rounded radii, 30 leaves per pixel of the side.

    Order of the draws: columns, rows, radii; with NumPy's ``default_rng(seed)`` they are the published ones. With
    ``law="published_primitives"`` leaf i is a disk where 4 divides i, a diamond where i mod 4 is 1, a square where it is 2, a
    band across the picture where i mod 200 is 3 (level) or 4 (upright, joined to its disk), else nothing.
    Source: balthazarneveu/blind-deblurring-from-synthetic-data.
    """
    height, width = size
    count = settings.count or _LEAVES_PER_SIDE * max(size)
    x = generator.integers(0, width, count).astype(float)
    y = generator.integers(0, height, count).astype(float)
    power = 1 - settings.alpha
    low, high = settings.radius
    radius = (generator.uniform(high**power, low**power, count) ** (1 / power)).round()
    if settings.law == "published":
        return lay(x, y, radius, np.zeros(count, dtype=np.int8), settings.aspect, generator)
    return _primitives(x, y, radius, size)


def batch(settings: Chart, size: Size) -> int:
    """How many leaves to draw first: about the fewest that cover a window; a constant of the settings, so that draws repeat."""
    return ceil(1.5 / coverage(settings, size))


def _kinds(settings: Chart, generator: np.random.Generator, count: int) -> np.ndarray:
    if set(settings.shapes) == {"disk"}:
        return np.zeros(count, dtype=np.int8)
    weights = np.array([settings.shapes.get(name, 0.0) for name in SHAPES])
    return generator.choice(len(SHAPES), count, p=weights / weights.sum()).astype(np.int8)


def _primitives(x: np.ndarray, y: np.ndarray, radius: np.ndarray, size: Size) -> Leaves:
    count, far = len(x), float(sum(size))
    index = np.arange(count)
    conic = disks(radius)
    conic[index % 4 != 0, 2] = -1
    grown = radius + 0.5  # between the last covered pixel and the next
    band = radius // 5 + 0.5
    right, down = np.zeros((count, 4)), np.zeros((count, 4))
    for chosen, across, along, ratios in (
        (index % 4 == 1, grown, grown, ((1, 0, -1, 0), (0, 1, 0, -1))),
        (index % 4 == 2, grown, grown, ((1, -1, -1, 1), (1, 1, -1, -1))),
        (index % 200 == 3, np.full(count, far), band, ((1, -1, -1, 1), (1, 1, -1, -1))),
        (index % 200 == 4, band, np.full(count, far), ((1, -1, -1, 1), (1, 1, -1, -1))),
    ):
        right[chosen] = across[chosen, None] * np.array(ratios[0])
        down[chosen] = along[chosen, None] * np.array(ratios[1])
    corners = np.stack([x[:, None] + right, y[:, None] + down], axis=2)
    edges, first = gather(count, [outlines(corners)], [np.repeat(index, 4)])
    kind = np.select([index % 4 == 0, index % 4 == 1], [SHAPES.index("disk"), SHAPES.index("diamond")], SHAPES.index("rectangle"))
    reach = np.where((index % 200 == 3) | (index % 200 == 4), 2 * far, 2 * radius + 1)
    return Leaves(x=x, y=y, radius=radius, reach=reach, kind=kind.astype(np.int8), conic=conic, edges=edges, first=first)
