"""Pictures under their captions, to be looked at by a person: many small ones on a sheet, or a few at full size in a row."""

from collections.abc import Mapping

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from limpid.layers.pixels import quantise

SHEET = "sheet/sheet.png"
"""Where it lies below a set: in a folder of its own, so that nobody trains on it."""

_TILE = 192  # pixels
_CAPTION = 20
_HEADLINE = 24
_GAP = 4
_ACROSS = 6  # tiles
_MOST = 24  # items


class ContactSheet:
    """Collects pictures item by item and keeps them small; the first 24 items are shown, the rest passes by."""

    def __init__(self) -> None:
        self._items: dict[str, list[np.ndarray]] = {}

    def add(self, caption: str, pictures: Mapping[str, Tensor]) -> None:
        """Add the (3, H, W) pictures, 0…1, of one item, in the order in which they are to be seen; captions differ."""
        if len(self._items) < _MOST:
            self._items[caption] = [_tile(quantise(picture, np.uint8)) for picture in pictures.values()]

    def pixels(self) -> np.ndarray:
        """The sheet, (H, W, 3) uint8; the pictures of one item stand side by side."""
        each = max(map(len, self._items.values()))
        across = max(1, min(_ACROSS // each, len(self._items)))
        rows = -(-len(self._items) // across)
        tallest = max(tile.shape[0] for tiles in self._items.values() for tile in tiles)
        step, drop = each * _TILE + 2 * _GAP, tallest + _CAPTION + _GAP
        sheet = Image.new("RGB", (across * step, rows * drop), "white")
        pen = ImageDraw.Draw(sheet)
        for place, (caption, tiles) in enumerate(self._items.items()):
            left, top = place % across * step + _GAP, place // across * drop
            pen.text((left + 2, top + 3), caption, fill="black", font_size=13)
            for number, tile in enumerate(tiles):
                sheet.paste(Image.fromarray(tile), (left + number * _TILE, top + _CAPTION))
        return np.asarray(sheet)


def side_by_side(pictures: Mapping[str, Tensor]) -> Tensor:
    """Pictures (3, H, W), 0…1, of one height under their captions, as one (3, H', W') picture."""
    views = [quantise(picture, np.uint8) for picture in pictures.values()]
    sheet = Image.new("RGB", (sum(view.shape[1] for view in views), _HEADLINE + views[0].shape[0]), "white")
    pen, left = ImageDraw.Draw(sheet), 0
    for caption, view in zip(pictures, views, strict=True):
        sheet.paste(Image.fromarray(view), (left, _HEADLINE))
        pen.text((left + 6, 5), caption, fill="black", font_size=14)
        left += view.shape[1]
    return torch.from_numpy(np.asarray(sheet).copy()).permute(2, 0, 1).float() / 255


def _tile(pixels: np.ndarray) -> np.ndarray:
    """Fitted into a square tile: averaged down, or enlarged by a whole number so that pixels stay squares (kernels)."""
    height, width = pixels.shape[:2]
    scale = _TILE / max(height, width)
    if scale >= 2:
        whole = int(scale)
        return pixels.repeat(whole, axis=0).repeat(whole, axis=1)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
