"""Scenes with albedo and shading, made while the network learns, paired or each layer apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import SourceEntry
from limpid.data.concat import Tensors, paths_of
from limpid.data.photo_folders import Roots, photos_of
from limpid.layers.pair import Pair
from limpid.layers.task import TASKS
from limpid.physics.intrinsic_scenes import SceneSettings, scene
from limpid.physics.seeds import generator


@dataclass(frozen=True, kw_only=True)
class IntrinsicScenes:
    """A ``Source`` of ``length`` scenes; number ``place`` of a ``seed`` is always the same, turned and flipped by the draw.

    ``size``: (height, width), pixels. ``paired``: with its own layers; else with those of two other scenes. ``keep``: hold what was
    made in memory, as half floats, once per worker. ``turn``: whether scenes are flipped, and turned where they are square.
    ``relit``: share of paired items whose light comes from another scene, so that few scenes make many pictures.
    """

    size: tuple[int, int]
    settings: SceneSettings
    photos: Sequence[Tensor] = ()
    length: int = 1000
    seed: int = 0
    paired: bool = True
    keep: bool = False
    turn: bool = True
    relit: float = 0.0
    _kept: dict[int, Tensor] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self.length

    def files(self) -> list[Path]:
        """The photos that lend texture and colour, where they lie on disk."""
        return paths_of(self.photos)

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Scene number ``place``; the epoch plays no part."""
        photo, albedo, shading = self._turned(self._made(place), draw)
        if not self.paired:
            albedo, shading = self._another(draw)[1], self._another(draw)[2]
        elif draw.random() < self.relit:
            shading = self._another(draw)[2]
            photo = TASKS["intrinsic"].compose({"albedo": albedo, "shading": shading}).mul(255).round().div(255)
        layers = {"albedo": albedo, "shading": shading}
        return Pair(input=photo, layers=layers, name=f"scene {place}", kind="synthetic" if self.paired else "unpaired")

    def _another(self, draw: np.random.Generator) -> Tensor:
        return self._turned(self._made(int(draw.integers(self.length))), draw)

    def _made(self, place: int) -> Tensor:
        """Input, albedo and shading: (3, 3, H, W)."""
        if place in self._kept:
            return self._kept[place].float()
        one = scene(self.size, generator(self.seed, place, "intrinsic"), self.settings, self.photos)
        stacked = torch.stack((one.input, one.albedo, one.shading))
        if self.keep:
            self._kept[place] = stacked.half()
        return stacked

    def _turned(self, layers: Tensor, draw: np.random.Generator) -> Tensor:
        if not self.turn:
            return layers
        layers = layers.flip(-1) if draw.random() < 0.5 else layers
        turns = int(draw.integers(4)) if self.size[0] == self.size[1] else 0
        return torch.rot90(layers, turns, (-2, -1)).contiguous()


def intrinsic(
    *,
    size: tuple[int, int] = (128, 128),
    scene: SceneSettings | None = None,
    photos: Roots | None = None,
    length: int = 1000,
    paired: bool = True,
    keep: bool = False,
    turn: bool = True,
    relit: float = 0.0,
    seed: int,
) -> IntrinsicScenes:
    """Scenes of ``physics/intrinsic_scenes`` by the settings ``scene``; the other parameters are those of ``IntrinsicScenes``.

    ``photos``: folder of photos that lend texture and colours. Raises DataError.
    """
    lent = () if photos is None else Tensors(photos_of(photos, keep=keep))
    settings = scene or SceneSettings()
    return IntrinsicScenes(
        size=size, settings=settings, photos=lent, length=length, seed=seed, paired=paired, keep=keep, turn=turn, relit=relit
    )


ENTRY = SourceEntry(build=intrinsic, tasks=("intrinsic",), source="limpid's own; leaves after Achddou et al., SSVM 2021")
