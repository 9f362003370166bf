"""Paired folders: whole photos for evaluation, augmented crops for training."""

from pathlib import Path

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from limpid.data.augment import Augment
from limpid.data.decode import pixels, tensor
from limpid.data.health import Health
from limpid.data.pair import Pair
from limpid.data.pairing import PairFiles, find_pairs


class PairFolder(Dataset[Pair]):
    """Every pair of ``root`` (``blended/``, ``transmission_layer/``, optional ``reflection_layer/``) as it is, by stem.

    Raises DataError when the folder does not pair up, and PhotoError, when an item is asked for, for a corrupt file.
    """

    def __init__(self, root: Path) -> None:
        self.files = find_pairs(root)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Pair:
        files = self.files[index]
        return Pair(
            input=tensor(files.input),
            transmission=tensor(files.transmission),
            reflection=None if files.reflection is None else tensor(files.reflection),
            name=files.name,
        )


class PairSource:
    """Pairs of ``root`` for training: one drawn augmentation, applied to all layers of a pair.

    A corrupt pair is replaced by the next one, see ``health``. Raises DataError when the folder does not pair up.
    """

    def __init__(self, root: Path, augment: Augment) -> None:
        self.files, self.augment = find_pairs(root), augment
        self.health = Health(len(self.files), root)

    def __len__(self) -> int:
        return len(self.files)

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Pair number ``place``, augmented as ``draw`` says; the epoch plays no part."""
        files, layers = self.health.load(place, self._read)
        parameters = self.augment.draw(draw, (layers[0].shape[0], layers[0].shape[1]))
        tensors: list[Tensor] = [self.augment.apply(layer, parameters) for layer in layers]
        reflection = tensors[2] if files.reflection is not None else None
        return Pair(input=tensors[0], transmission=tensors[1], reflection=reflection, name=files.name)

    def _read(self, place: int) -> tuple[PairFiles, list[np.ndarray]]:
        files = self.files[place]
        return files, [pixels(path) for path in files.all()]
