"""A whole training as one list of items: sources mixed by ratios, every item fixed by (seed, epoch, place)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from torch.utils.data import Dataset

from limpid.data.single_thread import one_thread
from limpid.epochs import Weight, at
from limpid.errors import DataError, SettingError
from limpid.layers.pair import Pair
from limpid.physics.seeds import generator


class Source(Protocol):
    """Where training pairs come from: as many as it has different ones, each drawn by the generator that it is given."""

    def __len__(self) -> int: ...

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Pair number ``place`` of ``epoch``, augmented or blended as ``draw`` says."""

    def files(self) -> list[Path]:
        """Every file that a pair may be made of: what validation must not hold."""


class Stream(Dataset[Pair]):
    """Items of all epochs in a row: item ``n`` is place ``n mod length`` of epoch ``n // length``.

    Each item picks its source by the weights of its epoch and a pair of it at random, from a generator of (seed, epoch, place); so
    any number of workers gives the same items, and a run resumes with ``Subset(stream, range(done, len(stream)))``. ``length``:
    items per epoch, by default the sum of the sources (Wei et al., CVPR 2019); ``labels``: what pairs call them. Raises DataError
    without a source and SettingError for weights that are negative or all 0.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Source, Weight]],
        *,
        epochs: int,
        seed: int,
        length: int | None = None,
        labels: Sequence[str] = (),
    ) -> None:
        if not sources or not all(len(source) for source, _ in sources):
            raise DataError("training needs at least one source of pairs, and none may be empty")
        self.sources = [source for source, _ in sources]
        self.weights = [weight for _, weight in sources]
        self.length = length or sum(map(len, self.sources))
        self.epochs, self.seed = epochs, seed
        self.labels = labels or [""] * len(sources)
        for epoch in {0}.union(*(weight for weight in self.weights if isinstance(weight, Mapping))):
            self.chances(epoch)

    def __len__(self) -> int:
        return self.length * self.epochs

    @one_thread()
    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < len(self):
            raise IndexError(index)
        epoch, item = divmod(index, self.length)
        draw = generator(self.seed, epoch, item, "item")
        chosen = draw.choice(len(self.sources), p=self.chances(epoch))
        source = self.sources[chosen]
        return replace(source.pair(int(draw.integers(len(source))), epoch, draw), source=self.labels[chosen])

    def chances(self, epoch: int) -> np.ndarray:
        """Probability of each source in an epoch; they sum to 1."""
        weights = np.array([at(weight, epoch) for weight in self.weights], dtype=float)
        if weights.min() < 0 or not 0 < weights.sum() < float("inf"):
            raise SettingError(f"weights of sources must be at least 0 and not all 0; in epoch {epoch} they are {weights.tolist()}")
        chances: np.ndarray = weights / weights.sum()
        return chances
