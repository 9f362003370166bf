"""Paired folders: whole photos for evaluation, augmented crops for training."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from limpid.data.augment import Augment
from limpid.data.decode import pixels, tensor
from limpid.data.health import Health
from limpid.data.pair import Pair
from limpid.data.pairing import Mismatch, PairFiles, find_pairs


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

    ``allow_missing``, ``on_mismatch``: what ``find_pairs`` lets pass; layers of unequal size are fitted here. A corrupt pair is
    replaced by the next one, see ``health``. Raises DataError when the folder does not pair up.
    """

    def __init__(self, root: Path, augment: Augment, *, allow_missing: bool = False, on_mismatch: Mismatch = "refuse") -> None:
        self.files = find_pairs(root, allow_missing=allow_missing, on_mismatch=on_mismatch)
        self.augment, self.on_mismatch = augment, on_mismatch
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
        layers = [pixels(path) for path in files.all()]
        if self.on_mismatch in ("crop", "resize"):
            layers = fitted(layers, resize=self.on_mismatch == "resize")
        return files, layers


def fitted(layers: list[np.ndarray], *, resize: bool) -> list[np.ndarray]:
    """Layers (H, W, 3), uint8, brought to one size: their common middle, or ``resize``d (bicubic) to the first, the input."""
    if len({layer.shape for layer in layers}) == 1:
        return layers
    if resize:
        height, width = layers[0].shape[:2]
        return [np.asarray(Image.fromarray(layer).resize((width, height), Image.Resampling.BICUBIC)) for layer in layers]
    tall, wide = (min(layer.shape[axis] for layer in layers) for axis in (0, 1))
    corners = [((layer.shape[0] - tall) // 2, (layer.shape[1] - wide) // 2) for layer in layers]
    return [layer[top : top + tall, left : left + wide] for layer, (top, left) in zip(layers, corners, strict=True)]
