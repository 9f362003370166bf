"""Photos and, apart from them, pictures of each layer: folders that have nothing to do with each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from limpid.catalogue import SourceEntry
from limpid.data.augment import Augment
from limpid.data.concat import paths_of
from limpid.data.pairing import FOLDERS
from limpid.data.photo_folders import Roots, folders, photos_of
from limpid.errors import SettingError
from limpid.layers.pair import Pair
from limpid.layers.task import Task


class UnpairedPhotos:
    """A ``Source`` of one photo and one picture of each layer, drawn and augmented each on its own.

    ``photos``: (H, W, 3), uint8; ``layers``: name → the same. ``augment`` must bring all to one size (a crop or a stretch).
    """

    def __init__(self, photos: Sequence[np.ndarray], layers: Mapping[str, Sequence[np.ndarray]], augment: Augment) -> None:
        if augment.crop is None and augment.stretch is None:
            raise SettingError("unpaired photos differ in size; give `augment` a crop or a stretch")
        self.photos, self.layers, self.augment = photos, layers, augment

    def __len__(self) -> int:
        return len(self.photos)

    def files(self) -> list[Path]:
        """The photos and the pictures of all layers."""
        return [path for part in (self.photos, *self.layers.values()) for path in paths_of(part)]

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Photo number ``place`` with any picture of each layer; the epoch plays no part."""
        photo = self._augmented(self.photos[place], epoch, draw)
        layers = {name: self._augmented(part[int(draw.integers(len(part)))], epoch, draw) for name, part in self.layers.items()}
        return Pair(input=photo, layers=layers, name=str(place), kind="unpaired")

    def _augmented(self, photo: np.ndarray, epoch: int, draw: np.random.Generator) -> Tensor:
        augment = self.augment.at(epoch)
        return augment.apply(photo, augment.draw(draw, (photo.shape[0], photo.shape[1])))


def unpaired(
    *,
    task: Task,
    root: Roots | None = None,
    photos: Roots | None = None,
    layers: Mapping[str, Roots] | None = None,
    augment: Augment | None = None,
    keep: bool = False,
) -> UnpairedPhotos:
    """Folders of ``photos`` and of each of the task's ``layers`` by name, or a ``root`` with all as a prepared set has them.

    Every folder is drawn from independently, also where names agree. ``keep`` holds what was decoded in memory, once per worker.
    Raises SettingError when folders are named twice, not at all, or for other layers, and DataError.
    """
    if (root is None) == (photos is None or layers is None):
        raise SettingError("unpaired photos take either `root`, or `photos` and `layers`")
    if root is not None:
        parts = folders(root)
        photos = [folder / FOLDERS["input"] for folder in parts]
        named: Mapping[str, Roots] = {name: [folder / FOLDERS[name] for folder in parts] for name in task.layers}
    else:
        named = dict(layers or {})
    if set(named) != set(task.layers):
        raise SettingError(f"unpaired photos need a folder for each of {', '.join(task.layers)}; got {', '.join(named)}")
    found = {name: photos_of(named[name], keep=keep) for name in task.layers}
    return UnpairedPhotos(photos_of(photos or "", keep=keep), found, augment or Augment(short_side=(300, 300), crop=256))


ENTRY = SourceEntry(build=unpaired, source="Liu & Lu, AAAI 2020, arXiv:1906.00734; DreamtaleCore/USIS: 300, crop 256, flip")
