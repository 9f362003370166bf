"""Pieces that see the whole photo, and rows of modules that hand a forward's recall on to them (``layers/context``)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.resize import Cut, cut
from limpid.layers.context import GlobalModule, PassesRecall, Recall, Tile, recalled, tile_of


class RecallSequential(nn.Sequential, PassesRecall):
    """``nn.Sequential`` that hands the recall on to those of its modules that take one."""

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """One module after the other."""
        for module in self:
            features = module(features, recall) if isinstance(module, PassesRecall) else module(features)
        return features


class GlobalMean(GlobalModule):
    """Mean of each channel over the whole photo: (B, C, H, W) → (B, C, 1, 1)."""

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Average, or recall the average."""
        (mean,) = recalled(recall, self, lambda: [features.mean((2, 3), keepdim=True)], [(features.shape[1], 1, 1)])
        return mean


class GlobalNorm(GlobalModule):
    """Each channel less its mean over the whole photo, divided by its biased deviation there: (B, C, H, W) → the same."""

    def __init__(self, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Normalise, or do so by what is recalled."""
        if recall is None:
            return F.instance_norm(features, eps=self.epsilon)
        shape = (features.shape[1], 1, 1)
        statistics = recall.tensors(self, lambda: torch.var_mean(features, (2, 3), correction=0, keepdim=True), [shape, shape])
        variance, mean = statistics
        return (features - mean) * torch.rsqrt(variance + self.epsilon)


class Doubling(nn.Module, PassesRecall):
    """Twice the size, bilinear with aligned corners, of a map with ``stride`` pixels of the photo per cell.

    (B, C, H, W) → (B, C, 2H, 2W). A cell moves with the size of the whole photo, which a tile therefore has to know.
    """

    def __init__(self, *, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, features: Tensor, recall: Recall | None = None) -> Tensor:
        """Enlarge the map of a photo or of a tile."""
        tile = tile_of(recall)
        if tile is None:
            return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
        height, width = features.shape[-2:]
        rows = self._cut(tile.top, height, tile.height)
        return cut(features, rows, self._cut(tile.left, width, tile.width), "corners").to(features.dtype)

    def _cut(self, start: int, count: int, length: int) -> Cut:
        held, cells = start // self.stride, length // self.stride
        return Cut(first=2 * held, count=2 * count, length=2 * cells, cells=cells, held=held)


def cuts(tile: Tile, size: tuple[int, int], stride: int) -> tuple[Cut, Cut]:
    """Rows and columns of a tile, ``size`` pixels, on maps of which it holds a part; ``stride``: pixels per cell."""
    return (
        Cut(first=tile.top, count=size[0], length=tile.height, cells=tile.height // stride, held=tile.top // stride),
        Cut(first=tile.left, count=size[1], length=tile.width, cells=tile.width // stride, held=tile.left // stride),
    )


def cuts_of(tile: Tile, cells: tuple[int, int], size: tuple[int, int], covered: tuple[int, int]) -> tuple[Cut, Cut]:
    """The same on maps of the whole photo, of so many ``cells``, which cover ``covered`` pixels of its grid."""
    return (
        Cut(first=tile.top, count=size[0], length=covered[0], cells=cells[0]),
        Cut(first=tile.left, count=size[1], length=covered[1], cells=cells[1]),
    )
