"""A contact sheet: the first items of a synthesised set, small, under their captions, to be looked at by a person."""

from collections.abc import Mapping

import cv2
import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from limpid.image.photo import quantise

SHEET = "sheet/sheet.png"
"""Where it lies below a set: in a folder of its own, so that nobody trains on it."""

_TILE = 192  # pixels
_CAPTION = 20
_GAP = 4
_ACROSS = 6  # tiles
_MOST = 24  # items


class Sheet:
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


def _tile(pixels: np.ndarray) -> np.ndarray:
    """Fitted into a square tile: averaged down, or enlarged by a whole number so that pixels stay squares (kernels)."""
    height, width = pixels.shape[:2]
    scale = _TILE / max(height, width)
    if scale >= 2:
        whole = int(scale)
        return pixels.repeat(whole, axis=0).repeat(whole, axis=1)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
