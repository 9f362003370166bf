"""Endless pairs blended from two unrelated photos by the formation models of ``physics/mixtures``."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from limpid.data.pair import Pair
from limpid.data.threads import one_thread
from limpid.errors import DataError
from limpid.physics.formation import Formation
from limpid.physics.seeds import generator


@dataclass(frozen=True, kw_only=True)
class Crops:
    """Square training crops: a window whose side lies between ``smallest`` and the photo's short side, brought to ``side``.

    Both in pixels; windows are flipped left-right with probability ``flip``.
    """

    side: int = 160
    smallest: int = 128
    flip: float = 0.5

    def take(self, photo: np.ndarray, draw: np.random.Generator) -> Tensor:
        """One crop of an (H, W, 3) uint8 photo as (3, side, side), float32, 0…1."""
        height, width = photo.shape[:2]
        window = int(draw.integers(min(self.smallest, height, width), min(height, width) + 1))
        top, left = draw.integers(0, height - window + 1), draw.integers(0, width - window + 1)
        crop = photo[top : top + window, left : left + window]
        if draw.random() < self.flip:
            crop = crop[:, ::-1]
        method = cv2.INTER_AREA if window > self.side else cv2.INTER_CUBIC
        resized = cv2.resize(np.ascontiguousarray(crop), (self.side, self.side), interpolation=method)
        return torch.from_numpy(resized).permute(2, 0, 1).float() / 255


class SyntheticPairs(Dataset[Pair]):
    """Item ``i`` is always the same pair: its photos, crops, law and parameters depend on (seed, i) alone.

    ``photos``: at least two (H, W, 3) uint8 arrays. ``mixtures``: formation models with weights. ``clean``: share of items
    without any reflection, whose input is the transmission, so that a network learns to leave photos alone.
    ``length``: number of items. Raises DataError with fewer than two photos.
    """

    def __init__(
        self,
        photos: Sequence[np.ndarray],
        mixtures: Sequence[tuple[Formation, float]],
        *,
        length: int,
        seed: int,
        crops: Crops | None = None,
        clean: float = 0.0,
    ) -> None:
        if len(photos) < 2:
            raise DataError(f"blending needs at least two photos; got {len(photos)}")
        self.photos = photos
        self.formations = [formation for formation, _ in mixtures]
        weights = np.array([weight for _, weight in mixtures], dtype=float)
        self.chances = weights / weights.sum()
        self.length, self.seed, self.crops, self.clean = length, seed, crops or Crops(), clean

    def __len__(self) -> int:
        return self.length

    @one_thread()
    def __getitem__(self, index: int) -> Pair:
        epoch, place = divmod(index, len(self.photos))
        order = generator(self.seed, epoch, "order").permutation(len(self.photos))
        draw = generator(self.seed, epoch, place, "pair")
        other = (place + int(draw.integers(1, len(self.photos)))) % len(self.photos)
        transmission = self.crops.take(self.photos[order[place]], draw)
        if draw.random() < self.clean:
            nothing = torch.zeros_like(transmission)
            return Pair(input=transmission, transmission=transmission, reflection=nothing, name=f"{index} clean")
        reflection = self.crops.take(self.photos[order[other]], draw)
        formation = self.formations[draw.choice(len(self.formations), p=self.chances)]
        size = (transmission.shape[1], transmission.shape[2])
        mixture = formation.apply(transmission, reflection, formation.draw(draw, size))
        return Pair(
            input=mixture.input,
            transmission=mixture.transmission,
            reflection=mixture.reflection,
            name=f"{index} {type(formation).__name__.lower()}",
        )
