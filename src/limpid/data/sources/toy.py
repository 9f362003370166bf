"""Toy pictures of two or three layers, for learning without pairs: each picture, and each layer shown beside it, drawn apart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from limpid.catalogue import SourceEntry
from limpid.layers.pair import Pair
from limpid.layers.task import find_task
from limpid.physics.seeds import generator
from limpid.physics.toy_layers import TOYS, draw_layers


@dataclass(frozen=True, kw_only=True)
class ToyPictures:
    """A ``Source`` of pictures that one of ``TOYS`` composes; picture number ``place`` of a ``seed`` is always the same one.

    ``paired``: with its own layers, as scores need them; else with layers that were drawn for nothing else, which is how training
    without pairs sees them. ``side``: pixels; ``length``: how many pictures there are.
    """

    kind: str
    side: int
    length: int
    seed: int
    paired: bool

    def __len__(self) -> int:
        return self.length

    def files(self) -> list[Path]:
        """None: everything is drawn."""
        return []

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Picture number ``place``; unpaired layers are drawn by ``draw``, as many different ones as there are pictures."""
        toy = TOYS[self.kind]
        own = draw_layers(toy, self.side, generator(self.seed, place, self.kind, "toy"))
        picture = find_task(toy.task).compose(own)
        if self.paired:
            return Pair(input=picture, layers=own, name=f"{self.kind} {place}", kind="synthetic")
        layers = {}
        for name in own:  # each from a picture of its own
            other = generator(self.seed, int(draw.integers(self.length)), self.kind, name, "sample")
            layers[name] = draw_layers(toy, self.side, other)[name]
        return Pair(input=picture, layers=layers, name=f"{self.kind} {place}", kind="unpaired")


def toy(
    *,
    kind: Literal["texblob", "shapes", "intr", "intr2", "three", "three_shapes"] = "texblob",
    side: int = 32,
    length: int = 512,
    paired: bool = False,
    seed: int,
) -> ToyPictures:
    """Pictures of ``physics/toy_layers``, ``side`` pixels square; the parameters are those of ``ToyPictures``."""
    return ToyPictures(kind=kind, side=side, length=length, seed=seed, paired=paired)


ENTRY = SourceEntry(build=toy, source="DreamtaleCore/USIS, commit 53a91ca (shapes); the specification's own textures")
