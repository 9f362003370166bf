"""Outlines of leaves: unit shapes inside the unit circle, each turned and squeezed on its own."""

from collections.abc import Callable, Mapping

import numpy as np

from limpid.physics.leaves.geometry import Leaves, disks, ellipses, outlines

SHAPES = ("disk", "ellipse", "rectangle", "diamond", "polygon", "stroke")
"""Names of the shapes; ``Leaves.kind`` holds places in it."""

_MOST_CORNERS = 9  # of a polygon; the least is a triangle
_NODES = 12  # along the centre line of a stroke
_SLACK = 1e-6  # what rounding may add to a reach, in pixels and as a share


def rectangles(aspect: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Corners (n, 4, 2) of rectangles with half diagonal 1 and side ratio ``aspect``; draws nothing."""
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    sides = np.stack([np.ones_like(aspect), aspect], axis=1) / np.sqrt(1 + aspect * aspect)[:, None]
    return np.asarray(signs * sides[:, None])


def diamonds(aspect: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Corners (n, 4, 2) of rhombi with half diagonals 1 and ``aspect``; draws nothing."""
    places = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    return np.asarray(places * np.stack([np.ones_like(aspect), aspect], axis=1)[:, None])


def polygons(aspect: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Corners (n, 9, 2) of star-shaped, often concave polygons of 3 to 9 corners (the last one repeats), squeezed by ``aspect``."""
    count = generator.integers(3, _MOST_CORNERS + 1, (len(aspect), 1))
    turn = 2 * np.pi * (np.arange(_MOST_CORNERS) + generator.uniform(0, 0.8, (len(aspect), _MOST_CORNERS))) / count
    length = generator.uniform(0.45, 1.0, turn.shape)
    corners = np.stack([length * np.cos(turn), length * np.sin(turn) * aspect[:, None]], axis=2)
    kept = np.minimum(np.arange(_MOST_CORNERS), count - 1)
    return np.take_along_axis(corners, kept[..., None], axis=1)


def strokes(aspect: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Corners (n, 22, 2) of bent strokes with round ends: a circular arc of up to ±1 rad, a tenth to a third of ``aspect`` wide."""
    bend = generator.uniform(-1, 1, (len(aspect), 1))
    width = aspect[:, None] * generator.uniform(0.1, 0.33, bend.shape)
    along = -np.cos(np.linspace(0, np.pi, _NODES))[None]  # denser at the ends, where the outline turns
    half = width * np.sqrt(1 - along**4)
    turn = bend * along  # direction of the centre line
    safe = np.where(np.abs(bend) < 1e-6, 1e-6, bend)
    line = np.stack([np.sin(safe * along) / safe, (1 - np.cos(safe * along)) / safe], axis=2)
    normal = np.stack([-np.sin(turn), np.cos(turn)], axis=2)
    upper, lower = line + half[..., None] * normal, line - half[..., None] * normal
    corners = np.concatenate([upper, lower[:, -2:0:-1]], axis=1)
    return np.asarray(corners / np.linalg.norm(corners, axis=2).max(axis=1)[:, None, None])


CORNERS: Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "rectangle": rectangles,
    "diamond": diamonds,
    "polygon": polygons,
    "stroke": strokes,
}
"""Shape with corners → its corners inside the unit circle for the aspects 0…1 of n leaves."""


def lay(
    x: np.ndarray,
    y: np.ndarray,
    radius: np.ndarray,
    kind: np.ndarray,
    aspect: tuple[float, float],
    generator: np.random.Generator,
) -> Leaves:
    """Leaves of the given centres, circumscribed radii (pixels) and kinds; draws angle, aspect and corners of each.

    ``aspect``: range of the second axis (or side) as a share of the first, drawn uniformly. Disks draw nothing.
    """
    conic = disks(radius)
    pieces, owners = [], []
    if kind.any():
        angle = generator.uniform(0, 2 * np.pi, len(x))
        squeeze = generator.uniform(*aspect, len(x))
        chosen = np.flatnonzero(kind == SHAPES.index("ellipse"))
        conic[chosen] = ellipses(radius[chosen], squeeze[chosen], angle[chosen])
        for name, corners_of in CORNERS.items():
            chosen = np.flatnonzero(kind == SHAPES.index(name))
            corners = corners_of(squeeze[chosen], generator)
            pieces.append(_place(corners, x[chosen], y[chosen], radius[chosen], angle[chosen]))
            owners.append(np.repeat(chosen, corners.shape[1]))
        conic[kind > SHAPES.index("ellipse"), 2] = -1
    edges, first = gather(len(x), pieces, owners)
    return Leaves(x=x, y=y, radius=radius, reach=radius * (1 + _SLACK) + _SLACK, kind=kind, conic=conic, edges=edges, first=first)


def gather(count: int, pieces: list[np.ndarray], owners: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sort edges (…, c, 4) by the leaf that owns them; gives (m, 4) edges without the level ones, and (count + 1,) firsts."""
    if not pieces:
        return np.empty((0, 4)), np.zeros(count + 1, dtype=np.int64)
    edges = np.concatenate([piece.reshape(-1, 4) for piece in pieces])
    owner = np.concatenate(owners)
    useful = edges[:, 1] != edges[:, 2]
    edges, owner = edges[useful], owner[useful]
    first = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=count), out=first[1:])
    return np.ascontiguousarray(edges[np.argsort(owner, kind="stable")]), first


def _place(corners: np.ndarray, x: np.ndarray, y: np.ndarray, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    cos, sin = (radius * np.cos(angle))[:, None], (radius * np.sin(angle))[:, None]
    right, down = corners[..., 0], corners[..., 1]
    turned = [x[:, None] + cos * right - sin * down, y[:, None] + sin * right + cos * down]
    return outlines(np.stack(turned, axis=2))
