"""Where the photos of a recipe lie: one folder or several, as text with commas or as a list."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from limpid.data.concat import Listed, Photos
from limpid.data.corrupt_files import CorruptFiles
from limpid.data.decode import pixels
from limpid.data.pairing import by_stem, listing, photos_deeper
from limpid.errors import DataError
from limpid.image.formats import is_photo

_log = logging.getLogger(__name__)


class PhotoFolder(Listed[np.ndarray]):
    """Photos of ``folder`` (subfolders are not searched), sorted by name, as (H, W, 3) uint8 RGB arrays.

    ``keep`` holds what was decoded in memory, once per process. Photos that are left out (in subfolders, or of a kind that is not
    read here) are named in the log. A corrupt photo is replaced by the next one, see ``health``.
    Raises DataError for a folder without photos or with two of one stem.
    """

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        found, problems = by_stem(folder)
        double, unread = ([one for one in problems if one.rule == rule] for rule in (None, "kind"))
        if double:
            raise DataError(f"{folder} holds double stems; {listing(double)}. Rename or remove them.")
        if not found:
            rest = f". {listing(unread)}" if unread else ""
            raise DataError(f"{folder} holds no photo (.jpg, .png, …); subfolders are not searched{rest}")
        if unread:
            _log.warning("%s is used without some of its photos; %s", folder, listing(unread))
        if deeper := photos_deeper(folder):
            _log.warning("%s is used without the %d photos in folders below it; name those folders themselves", folder, deeper)
        self.paths = list(found.values())
        self.stems = list(found)
        self.health = CorruptFiles(len(self.paths), folder)
        self._kept: dict[int, np.ndarray] | None = {} if keep else None

    def __len__(self) -> int:
        return len(self.paths)

    def _item(self, place: int) -> np.ndarray:
        return self.health.load(place, self._read)

    def _read(self, place: int) -> np.ndarray:
        if self._kept is None:
            return pixels(self.paths[place])
        if place not in self._kept:
            self._kept[place] = pixels(self.paths[place])
        return self._kept[place]


Roots = str | Path | Sequence[str | Path]
"""A folder, or several: a list, or one text with commas; ``~`` is the home folder."""


def folders(roots: Roots) -> list[Path]:
    """The folders that ``roots`` names, in its order; raises DataError that names the first one missing."""
    wanted = roots if isinstance(roots, Sequence) and not isinstance(roots, str) else [roots]
    found = [folder for text in wanted for folder in _split(str(text))]
    if not found:
        raise DataError("no folder of photos is named; give one, or several with commas between them")
    for folder in found:
        if not folder.is_dir():
            raise DataError(f"{folder} is no folder; data items name folders that exist, several with commas between them")
    return found


def photos_of(roots: Roots, *, keep: bool = False) -> Sequence[np.ndarray]:
    """The photos of all folders, one folder after the other; ``keep`` as in ``PhotoFolder``.

    A folder without photos of its own but with one ``*_HR`` folder inside, as DIV2K is packed, stands for that one.
    Raises DataError for a folder that is missing or without photos.
    """
    parts = [PhotoFolder(_unpacked(folder), keep=keep) for folder in folders(roots)]
    return parts[0] if len(parts) == 1 else Photos(parts)


def _split(text: str) -> list[Path]:
    whole = Path(text).expanduser()
    if whole.is_dir():  # also a folder with a comma in its name
        return [whole] if text.strip() else []
    return [Path(part.strip()).expanduser() for part in text.split(",") if part.strip()]


def _unpacked(folder: Path) -> Path:
    while not any(map(is_photo, folder.iterdir())):
        inside = sorted(path for path in folder.glob("*_HR") if path.is_dir())
        if len(inside) != 1:
            break
        folder = inside[0]
    return folder
