"""Backend ``torch``: tile by tile, only the leaves whose circle meets the tile; any device that has float64."""

import numpy as np
import torch
from torch import Tensor

from limpid.physics.leaves.geometry import Leaves

_TILE = 32  # pixels per side
_CHUNK = 128  # leaves tested at once
_NONE = 2**31 - 1  # stands behind every leaf


def fill_tiles(labels: np.ndarray, leaves: Leaves, offset: int) -> int:
    """First hit by tiles with culling; contract of ``labels.Fill``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    moved = _Moved(leaves, device)
    for top in range(0, labels.shape[0], _TILE):
        for left in range(0, labels.shape[1], _TILE):
            tile = labels[top : top + _TILE, left : left + _TILE]
            if (tile < 0).any():
                found = _first_hit(torch.from_numpy(tile < 0).to(device), moved, top, left).cpu().numpy()
                hit = (tile < 0) & (found != _NONE)
                tile[hit] = found[hit] + offset
    return int((labels < 0).sum())


class _Moved:
    """The arrays of ``Leaves`` as float64 tensors on a device, edges with their owners."""

    def __init__(self, leaves: Leaves, device: torch.device) -> None:
        self.x, self.y, self.reach, self.conic, self.edges = (
            torch.from_numpy(np.ascontiguousarray(values)).to(device)
            for values in (leaves.x, leaves.y, leaves.reach, leaves.conic, leaves.edges)
        )
        owners = np.repeat(np.arange(len(leaves)), np.diff(leaves.first))
        self.owner = torch.from_numpy(owners).to(device)
        self.first = torch.from_numpy(np.ascontiguousarray(leaves.first)).to(device)


def _first_hit(wanted: Tensor, leaves: _Moved, top: int, left: int) -> Tensor:
    """Index of the front leaf over each pixel of a (h, w) tile whose corner is (``top``, ``left``), _NONE where there is none."""
    height, width = wanted.shape
    rows = torch.arange(top, top + height, dtype=torch.float64, device=wanted.device)
    columns = torch.arange(left, left + width, dtype=torch.float64, device=wanted.device)
    near = (leaves.y >= rows[0] - leaves.reach) & (leaves.y <= rows[-1] + leaves.reach)
    near &= (leaves.x >= columns[0] - leaves.reach) & (leaves.x <= columns[-1] + leaves.reach)
    found = torch.full((height, width), _NONE, dtype=torch.int32, device=wanted.device)
    candidates = near.nonzero()[:, 0]
    for start in range(0, len(candidates), _CHUNK):
        chunk = candidates[start : start + _CHUNK]
        inside = _conics(leaves, chunk, rows, columns) | _polygons(leaves, chunk, rows, columns)  # (h, w, leaves)
        hit = torch.where(inside, chunk.to(torch.int32), _NONE).amin(dim=2)
        found = torch.where(found == _NONE, hit, found)
        if not ((found == _NONE) & wanted).any():
            break
    return found


def _conics(leaves: _Moved, chunk: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    shear, weight, limit = leaves.conic[chunk].unbind(1)
    down = rows[:, None] - leaves.y[chunk]  # (h, leaves)
    slanted = (columns[:, None] - leaves.x[chunk])[None] + (shear * down)[:, None]  # (h, w, leaves)
    return slanted * slanted + (weight * (down * down))[:, None] <= limit


def _polygons(leaves: _Moved, chunk: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Even-odd rule: the edges of all leaves of the chunk at once, then a sum per leaf."""
    counts = leaves.first[chunk + 1] - leaves.first[chunk]
    slot = torch.repeat_interleave(torch.arange(len(chunk), device=chunk.device), counts)  # edge → place in the chunk
    within = torch.arange(len(slot), device=chunk.device) - (counts.cumsum(0) - counts)[slot]
    x0, y0, y1, slope = leaves.edges[leaves.first[chunk][slot] + within].unbind(1)
    crossing = x0 + (rows[:, None] - y0) * slope  # (h, edges)
    crosses = (y0 <= rows[:, None]) != (y1 <= rows[:, None])
    right = crosses[:, None] & (columns[None, :, None] < crossing[:, None])  # (h, w, edges)
    parity = torch.zeros(len(rows), len(columns), len(chunk), dtype=torch.int32, device=chunk.device)
    return parity.index_add_(2, slot, right.to(torch.int32)) % 2 == 1
