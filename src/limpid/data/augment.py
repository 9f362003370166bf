"""What happens to a photo before training: resized, cropped, flipped, turned; drawn apart from applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from limpid.errors import SettingError

Parameters = Mapping[str, Any]
"""What was drawn, as plain numbers: it can be stored as JSON and replayed, on any layer of the same photo."""


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Resize, crop, flip and turn; the defaults are ERRNet's (Wei et al., CVPR 2019, constants of their code).

    ``short_side``: range of the short side in pixels, or ``width``: range of the width (Zhang et al., CVPR 2018: 256 to 479);
    drawn in steps of ``step``, the other side in proportion, rounded up to even. Neither: size kept.
    ``square``: first take a square of this share of the short side (Li et al., CVPR 2020: 0.7). ``crop``: side of the square
    crop, pixels; a smaller photo is enlarged to it. ``stretch``: without a crop, both sides become this many pixels.
    ``flip``: chance of a left-right flip; ``turn``: chance of 90, 180 or 270 degrees (Hu & Guo, ICCV 2023: 0.5).
    Resizing is Pillow's bicubic on 8 bits. Raises SettingError for ranges that fall and settings that exclude each other.
    """

    short_side: tuple[int, int] | None = None
    width: tuple[int, int] | None = None
    step: int = 2
    square: float | None = None
    crop: int | None = None
    stretch: int | None = None
    flip: float = 0.5
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

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw for a photo of ``size`` (height, width): the source box, the size of the result, flip and turns."""
        top, left, height, width = self._square(generator, size)
        tall, wide = self._resized(generator, height, width)
        box = [float(left), float(top), float(left + width), float(top + height)]
        if self.crop is not None:
            down, right = int(generator.integers(tall - self.crop + 1)), int(generator.integers(wide - self.crop + 1))
            across, along = width / wide, height / tall
            box = [
                left + right * across,
                top + down * along,
                left + (right + self.crop) * across,
                top + (down + self.crop) * along,
            ]
            tall = wide = self.crop
        return {
            "box": box,
            "size": [tall, wide],
            "flip": bool(generator.random() < self.flip),
            "turns": int(generator.integers(1, 4)) if generator.random() < self.turn else 0,
        }

    def apply(self, photo: np.ndarray, parameters: Parameters) -> Tensor:
        """Carry out what was drawn on an (H, W, 3) uint8 photo; returns (3, h, w), float32, 0…1. Pure.

        Resizing and cropping are one step, so only the crop is computed; flipping comes before turning.
        """
        tall, wide = parameters["size"]
        left, top, right, bottom = parameters["box"]
        limits = (left, top, min(right, photo.shape[1]), min(bottom, photo.shape[0]))  # against rounding at the far edges
        resized = np.array(Image.fromarray(photo).resize((wide, tall), Image.Resampling.BICUBIC, box=limits))
        if parameters["flip"]:
            resized = resized[:, ::-1]
        turned = np.ascontiguousarray(np.rot90(resized, parameters["turns"]))
        return torch.from_numpy(turned).permute(2, 0, 1).float().div_(255)

    def _square(self, generator: np.random.Generator, size: tuple[int, int]) -> tuple[int, int, int, int]:
        height, width = size
        if self.square is None:
            return 0, 0, height, width
        side = max(1, int(self.square * min(size)))
        return int(generator.integers(height - side + 1)), int(generator.integers(width - side + 1)), side, side

    def _resized(self, generator: np.random.Generator, height: int, width: int) -> tuple[int, int]:
        if self.stretch is not None:
            return self.stretch, self.stretch
        limits, reference = (self.width, width) if self.width is not None else (self.short_side, min(height, width))
        tall, wide = height, width
        if limits is not None:
            target = self.step * int(generator.integers(ceil(limits[0] / self.step), limits[1] // self.step + 1))
            tall, wide = (_proportional(side, target, reference) for side in (height, width))
        if self.crop is not None and min(tall, wide) < self.crop:
            scale = self.crop / min(tall, wide)
            tall, wide = max(self.crop, round(tall * scale)), max(self.crop, round(wide * scale))
        return tall, wide


def _proportional(side: int, target: int, reference: int) -> int:
    return target if side == reference else 2 * -(-side * target // (2 * reference))
