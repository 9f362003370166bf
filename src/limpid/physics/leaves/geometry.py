"""Leaves as plain arrays: where they lie and what they cover, in float64.

A leaf is the union of two parts, either of which may be missing. Every test is written so that each float64 rounding is fixed
(no fused multiply-add) and so that, along a row, it can only switch where a backend expects it to:

* conic (disk, ellipse), by completing the square in dx: e = dx + k·dy, covered where e² + q·dy² ≤ t;
* edges (everything with corners), by the even-odd rule: covered where an odd number of edges that cross the row do so right
  of the pixel, at x₀ + (row − y₀)·slope.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, kw_only=True)
class Leaves:
    """n leaves, the front one first; lengths in canvas pixels, pixel (i, j) being the point y = i, x = j.

    ``x``, ``y``: (n,) centres. ``radius``: (n,) radii by the law, of the circle around the shape. ``reach``: (n,) no point
    of the leaf is farther than this from its centre. ``kind``: (n,) int8, place in ``shapes.SHAPES``. ``conic``: (n, 3)
    k, q, t; t < 0 where there is none. ``edges``: (m, 4) x₀, y₀, y₁, slope dx/dy; leaf i owns ``first[i]:first[i + 1]``.
    All float64 but ``kind`` and ``first`` ((n + 1,) int64).
    """

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    reach: np.ndarray
    kind: np.ndarray
    conic: np.ndarray
    edges: np.ndarray
    first: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def head(self, count: int) -> "Leaves":
        """The front ``count`` leaves, as views."""
        return Leaves(
            x=self.x[:count],
            y=self.y[:count],
            radius=self.radius[:count],
            reach=self.reach[:count],
            kind=self.kind[:count],
            conic=self.conic[:count],
            edges=self.edges[: self.first[count]],
            first=self.first[: count + 1],
        )


def join(parts: Sequence[Leaves]) -> Leaves:
    """Leaves of several batches, one batch behind the other."""
    if len(parts) == 1:
        return parts[0]
    shifts = np.cumsum([0] + [len(part.edges) for part in parts])
    firsts = [part.first[:-1] + shift for part, shift in zip(parts, shifts, strict=False)]
    return Leaves(
        x=np.concatenate([part.x for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        radius=np.concatenate([part.radius for part in parts]),
        reach=np.concatenate([part.reach for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
        conic=np.concatenate([part.conic for part in parts]),
        edges=np.concatenate([part.edges for part in parts]),
        first=np.concatenate([*firsts, shifts[-1:]]),
    )


def ellipses(radius: np.ndarray, aspect: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Conics (n, 3) of ellipses with half axes ``radius`` and ``aspect``·``radius``, the long one at ``angle`` radians.

    A·dx² + 2B·dx·dy + C·dy² ≤ 1 becomes (dx + B/A·dy)² + (AC − B²)/A²·dy² ≤ 1/A.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    long, short = radius**-2, (aspect * radius) ** -2
    a = cos * cos * long + sin * sin * short
    b = cos * sin * (long - short)
    return np.stack([b / a, long * short / (a * a), 1 / a], axis=1)


def disks(radius: np.ndarray) -> np.ndarray:
    """Conics (n, 3) of disks: dx² + dy² ≤ r², exact for whole numbers."""
    conic = np.empty((len(radius), 3))
    conic[:, 0], conic[:, 1], conic[:, 2] = 0.0, 1.0, radius * radius
    return conic


def outlines(corners: np.ndarray) -> np.ndarray:
    """Edges (n, c, 4) of closed outlines with corners (n, c, 2) as x, y; the last corner joins the first."""
    following = np.roll(corners, -1, axis=1)
    run, rise = (following - corners)[..., 0], (following - corners)[..., 1]
    slope = np.divide(run, rise, out=np.zeros_like(run), where=rise != 0)  # level edges cross no row
    return np.stack([corners[..., 0], corners[..., 1], following[..., 1], slope], axis=2)
