"""What happens to a photo before training: resized, cropped, flipped, turned; drawn apart from applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from limpid.epochs import at
from limpid.errors import SettingError

Parameters = Mapping[str, Any]
"""What was drawn, as plain numbers: it can be stored as JSON and replayed, on any layer of the same photo."""


Side = int | Mapping[int, int]
"""Pixels, or pixels from an epoch on; epochs count from 0."""


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Resize, crop, flip and turn; the defaults are ERRNet's (Wei et al., CVPR 2019, constants of their code).

    ``short_side``: range of the short side in pixels, or ``width``: range of the width (Zhang et al., CVPR 2018: 256 to 479);
    drawn in steps of ``step``, the other side in proportion, rounded up to even with ``short_side``, to whole pixels with
    ``width``. Neither: size kept. ``square``: first take a square of this share of the short side (Li et al., CVPR 2020: 0.7);
    ``window``: first take a square whose side is drawn between this many pixels and the short side. ``crop``: side of the
    square crop, pixels; a smaller photo is enlarged to it. ``stretch``: without a crop, both sides become this many pixels.
    ``flip``: chance of a left-right flip; ``upend``: of a top-bottom flip; ``turn``: of 90, 180 or 270 degrees (Hu & Guo, ICCV
    2023: 0.5). Resizing is Pillow's bicubic on 8 bits; a window that is stretched is averaged over areas, or enlarged
    bicubically, by OpenCV, which is twice as fast. Crop and stretch may be {epoch: pixels}, see ``at``.
    Raises SettingError for ranges that fall and settings that exclude each other.
    """

    short_side: tuple[int, int] | None = None
    width: tuple[int, int] | None = None
    step: int = 2
    square: float | None = None
    window: int | None = None
    crop: Side | None = None
    stretch: Side | None = None
    flip: float = 0.5
    upend: float = 0.0
    turn: float = 0.0

    def __post_init__(self) -> None:
        for name, limits in (("short_side", self.short_side), ("width", self.width)):
            if limits is not None and not 0 < ceil(limits[0] / self.step) <= limits[1] // self.step:
                raise SettingError(f"augment.{name} must rise, lie above 0 and hold a multiple of {self.step}; got {limits}")
        if self.short_side is not None and self.width is not None:
            raise SettingError("augment takes short_side or width, not both")
        if self.crop is not None and self.stretch is not None:
            raise SettingError("augment takes crop or stretch, not both")
        if self.square is not None and not 0 < self.square <= 1:
            raise SettingError(f"augment.square lies within 0…1; got {self.square}")
        sized = self.crop is not None or self.stretch is not None
        if self.window is not None and (self.window < 1 or self.square is not None or not sized):
            raise SettingError("augment.window is at least 1 pixel, takes no square beside it, and needs a crop or a stretch")

    def at(self, epoch: int) -> "Augment":
        """What it is in an epoch, with one crop and one stretch; without, the first epoch's count."""
        crop = int(at(self.crop, epoch)) if isinstance(self.crop, Mapping) else self.crop
        stretch = int(at(self.stretch, epoch)) if isinstance(self.stretch, Mapping) else self.stretch
        return self if (crop, stretch) == (self.crop, self.stretch) else replace(self, crop=crop, stretch=stretch)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw for a photo of ``size`` (height, width): the source box, the size of the result, flip and turns."""
        top, left, height, width = self._source(generator, size)
        tall, wide = self._resized(generator, height, width)
        box = [float(left), float(top), float(left + width), float(top + height)]
        crop = _first(self.crop)
        if crop is not None:
            down, right = int(generator.integers(tall - crop + 1)), int(generator.integers(wide - crop + 1))
            across, along = width / wide, height / tall
            box = [
                left + right * across,
                top + down * along,
                left + (right + crop) * across,
                top + (down + crop) * along,
            ]
            tall = wide = crop
        return {
            "box": box,
            "size": [tall, wide],
            "flip": bool(generator.random() < self.flip),
            "turns": int(generator.integers(1, 4)) if generator.random() < self.turn else 0,
            "upend": bool(generator.random() < self.upend),
            "averaged": self.window is not None and self.stretch is not None,
        }

    def apply(self, photo: np.ndarray, parameters: Parameters) -> Tensor:
        """Carry out what was drawn on an (H, W, 3) uint8 photo; returns (3, h, w), float32, 0…1. Pure.

        Resizing and cropping are one step, so only the crop is computed; flipping comes before turning.
        """
        resized = (_averaged if parameters.get("averaged") else _bicubic)(photo, parameters["box"], parameters["size"])
        if parameters["flip"]:
            resized = resized[:, ::-1]
        if parameters.get("upend"):
            resized = resized[::-1]
        return as_tensor(np.rot90(resized, parameters["turns"]))

    def _source(self, generator: np.random.Generator, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The part of the photo that is used: top, left, height, width."""
        height, width = size
        if self.square is None and self.window is None:
            return 0, 0, height, width
        if self.window is None:
            side = max(1, int((self.square or 1) * min(size)))
        else:
            side = int(generator.integers(min(self.window, *size), min(size) + 1))
        return int(generator.integers(height - side + 1)), int(generator.integers(width - side + 1)), side, side

    def _resized(self, generator: np.random.Generator, height: int, width: int) -> tuple[int, int]:
        crop, stretch = _first(self.crop), _first(self.stretch)
        if stretch is not None:
            return stretch, stretch
        tall, wide = height, width
        if self.width is not None:
            wide = self._drawn(generator, self.width)
            tall = max(1, round(height * wide / width))
        elif self.short_side is not None:
            target = self._drawn(generator, self.short_side)
            tall, wide = (even_proportion(side, target, min(height, width)) for side in (height, width))
        if crop is not None and min(tall, wide) < crop:
            scale = crop / min(tall, wide)
            tall, wide = max(crop, round(tall * scale)), max(crop, round(wide * scale))
        return tall, wide

    def _drawn(self, generator: np.random.Generator, limits: tuple[int, int]) -> int:
        return self.step * int(generator.integers(ceil(limits[0] / self.step), limits[1] // self.step + 1))


def _first(side: Side | None) -> int | None:
    """The side in the first epoch."""
    return None if side is None else int(at(side, 0))


def even_proportion(side: int, target: int, reference: int) -> int:
    """``side`` scaled as ``reference`` becomes ``target``, rounded up to even; the reference itself is exact (ERRNet's rule)."""
    return target if side == reference else 2 * -(-side * target // (2 * reference))


def moved(parameters: Parameters, offset: Sequence[int], size: tuple[int, int]) -> Parameters:
    """The same draw with its crop ``offset`` (down, right) pixels of the result further, kept within a photo of ``size``."""
    left, top, right, bottom = parameters["box"]
    tall, wide = parameters["size"]
    across = min(max(offset[1] * (right - left) / wide, -left), max(0.0, size[1] - right))
    along = min(max(offset[0] * (bottom - top) / tall, -top), max(0.0, size[0] - bottom))
    return {**parameters, "box": [left + across, top + along, right + across, bottom + along], "averaged": False}


def as_tensor(photo: np.ndarray) -> Tensor:
    """An (H, W, 3) uint8 photo as (3, H, W), float32, 0…1."""
    return torch.from_numpy(np.ascontiguousarray(photo)).permute(2, 0, 1).float().div_(255)


def _bicubic(photo: np.ndarray, box: Sequence[float], size: Sequence[int]) -> np.ndarray:
    """Pillow's, given no more of the photo than the box and the reach of its filter."""
    height, width = photo.shape[:2]
    left, top, right, bottom = box[0], box[1], min(box[2], width), min(box[3], height)  # against rounding at the far edges
    reach = [2 * max(1.0, extent / side) + 1 for extent, side in ((right - left, size[1]), (bottom - top, size[0]))]
    first, last = max(0, floor(left - reach[0])), min(width, ceil(right + reach[0]))
    upper, lower = max(0, floor(top - reach[1])), min(height, ceil(bottom + reach[1]))
    part = Image.fromarray(photo[upper:lower, first:last])
    limits = (left - first, top - upper, right - first, bottom - upper)
    return np.array(part.resize((size[1], size[0]), Image.Resampling.BICUBIC, box=limits))


def _averaged(photo: np.ndarray, box: Sequence[float], size: Sequence[int]) -> np.ndarray:
    """OpenCV's, for a box of whole pixels: areas when it shrinks, bicubic when it grows."""
    left, top, right, bottom = map(int, box)
    method = cv2.INTER_AREA if bottom - top > size[0] else cv2.INTER_CUBIC
    part = np.ascontiguousarray(photo[top:bottom, left:right])
    return np.asarray(cv2.resize(part, (size[1], size[0]), interpolation=method))
