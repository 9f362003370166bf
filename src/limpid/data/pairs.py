"""Paired folders: whole photos for evaluation, augmented ones for training."""

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from limpid.data.augment import Augment, as_tensor, moved
from limpid.data.corrupt_files import CorruptFiles
from limpid.data.decode import pixels, tensor
from limpid.data.pairing import Mismatch, PairFiles, find_pairs, task_of
from limpid.data.sizes import Sizes, sizes_of
from limpid.errors import SettingError
from limpid.layers.batch import Kind
from limpid.layers.pair import Pair
from limpid.layers.task import Task
from limpid.physics.seeds import generator

Part = Literal["all", "train", "held"]
"""Of a folder of pairs: all of them, those to train on, or those that are held out."""

Reflection = Literal["file", "difference", "clipped"]
"""Where the reflection of a pair comes from; see ``PairSource``."""

_SPLIT = 14  # the same split in every run


class PairFolder(Dataset[Pair]):
    """Every pair of ``root`` (``blended/`` and the folders of the task's layers) as it is, by stem; ``task`` as for ``find_pairs``.

    Raises DataError when the folder does not pair up, and PhotoError, when an item is asked for, for a corrupt file.
    """

    def __init__(self, root: Path, task: Task | None = None) -> None:
        self.files = find_pairs(root, task)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Pair:
        files = self.files[index]
        layers = {name: tensor(path) for name, path in files.layers.items()}
        return Pair(input=tensor(files.input), layers=layers, name=files.name)


class PairSource:
    """A ``Source`` of the pairs of ``root``: one drawn augmentation, applied to all layers; None leaves them as they are.

    ``task``, ``allow_missing``, ``on_mismatch``: what ``find_pairs`` looks for and lets pass; layers of unequal size are fitted
    here. ``reflection``: of the ``file`` where there is one, or the ``difference`` input − transmission, which can be negative (Hu
    & Guo, ICCV 2023), or that ``clipped`` to 0…1 (Hu et al., NeurIPS 2024). ``part``: ``train`` or ``held``, which share the pairs
    among them, ``hold_out`` of them held; ``all`` of them otherwise. ``kind``: ``unaligned`` for shots with a shift between them;
    ``shift``: so many pixels of the result at most does the first layer move on its own, each way (Wei et al., CVPR 2019: 10). A
    corrupt pair is replaced by the next one, see ``health``. Raises DataError when the folder does not pair up.
    """

    def __init__(
        self,
        root: Path,
        augment: Augment | None,
        *,
        task: Task | None = None,
        allow_missing: bool = False,
        on_mismatch: Mismatch = "refuse",
        reflection: Reflection = "file",
        kind: Kind = "aligned",
        shift: int = 0,
        part: Part = "all",
        hold_out: float = 0.2,
    ) -> None:
        if shift < 0 or (shift and augment is None):
            raise SettingError(f"a shift is 0 or more pixels and needs an augmentation; got {shift}")
        self.task = task or task_of(root)
        self.files_of_pairs = find_pairs(root, self.task, allow_missing=allow_missing, on_mismatch=on_mismatch)
        self.files_of_pairs = _shared(self.files_of_pairs, root, part, hold_out)
        self.augment, self.on_mismatch = augment, on_mismatch
        self.reflection, self.kind, self.shift = reflection, kind, shift
        self.health = CorruptFiles(len(self.files_of_pairs), root)

    def __len__(self) -> int:
        return len(self.files_of_pairs)

    def files(self) -> list[Path]:
        """The files of all pairs."""
        return [path for files in self.files_of_pairs for path in files.all()]

    def sizes(self) -> Sizes:
        """Sizes of the inputs; layers that are cropped to their common middle may be smaller."""
        return sizes_of(self.augment, [files.input for files in self.files_of_pairs])

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Pair number ``place``, augmented as ``draw`` says; the epoch decides its crop alone."""
        files, layers = self.health.load(place, self._read)
        photo, *tensors = self._augmented(layers, epoch, draw)
        known = dict(zip(files.layers, tensors, strict=True))
        if self.reflection != "file":
            difference = photo - known["transmission"]
            known["reflection"] = difference.clamp(0, 1) if self.reflection == "clipped" else difference
        return Pair(input=photo, layers=known, name=files.name, kind=self.kind)

    def _augmented(self, layers: list[np.ndarray], epoch: int, draw: np.random.Generator) -> list[Tensor]:
        augment = None if self.augment is None else self.augment.at(epoch)
        if augment is None:
            return [as_tensor(layer) for layer in layers]
        size = (layers[0].shape[0], layers[0].shape[1])
        parameters = augment.draw(draw, size)
        tensors = [augment.apply(layer, parameters) for layer in layers]
        if self.shift:
            offset = draw.integers(-self.shift, self.shift + 1, 2).tolist()
            tensors[1] = augment.apply(layers[1], moved(parameters, offset, size))
        return tensors

    def _read(self, place: int) -> tuple[PairFiles, list[np.ndarray]]:
        files = self.files_of_pairs[place]
        layers = [pixels(path) for path in files.all()]
        if self.on_mismatch in ("crop", "resize"):
            layers = fitted(layers, resize=self.on_mismatch == "resize")
        return files, layers


def _shared(pairs: list[PairFiles], root: Path, part: Part, hold_out: float) -> list[PairFiles]:
    """One part of the pairs of a folder, drawn by their number alone, so that both parts of one folder make the whole of it."""
    if part == "all":
        return pairs
    if not 0 < hold_out < 1 or len(pairs) < 2:
        raise SettingError(f"to hold some pairs out takes two at least and a share between 0 and 1; {root} has {len(pairs)}")
    held = min(len(pairs) - 1, max(1, round(hold_out * len(pairs))))
    places = set(generator(_SPLIT, "held out", len(pairs)).permutation(len(pairs))[:held].tolist())
    return [pair for place, pair in enumerate(pairs) if (place in places) == (part == "held")]


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
