"""What the network makes of a few photos after every epoch, as pictures to leaf through."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from limpid.data.augment import as_tensor
from limpid.errors import LimpidError, NoRoomError, PhotoError, printable
from limpid.files import DiskError
from limpid.image.contact_sheet import ContactSheet
from limpid.image.read import read
from limpid.image.write import write
from limpid.layers.task import TASKS
from limpid.runtime.separator import Separator

Separate = Callable[[Tensor], Mapping[str, Tensor]]
"""A photo (3, H, W), 0…1, → its layers by name, each (3, H, W)."""

_NAMES = {"transmission": "t_output", "reflection": "r_output"}
_FOLDER = re.compile(r"epoch_(\d{4,})")
_LONGEST = 80  # characters of a photo's name in the name of its folder


def write_sample_images(separate: Separate, photos: Sequence[Path | tuple[str, Tensor]], folder: Path, epoch: int) -> list[str]:
    """Write ``epoch_0001/0001_stem/input.png``, ``t_output.png``, ``r_output.png`` and other layers by name, clamped and rounded.

    All of them stand on ``epoch_0001/sheet.png`` side by side, small. ``photos``: files, or names with (3, H, W) tensors, 0…1; the
    number before a stem is the place among them. Layers below 0 are shown around middle grey. Returns a line for each photo that
    was left out because it cannot be read or separated. Raises DiskError when a picture cannot be written.
    """
    skipped, sheet = [], ContactSheet()
    target = folder / f"epoch_{epoch:04d}"
    for place, item in enumerate(photos, start=1):
        name = item.stem if isinstance(item, Path) else item[0]
        try:
            photo = read(item).tensor() if isinstance(item, Path) else item[1].detach().float().cpu()
            layers = separate(photo)
        except LimpidError as error:
            where = printable(item) if isinstance(item, Path) else printable(name)
            skipped.append(f"left out of the pictures of epoch {epoch}: {where}: {str(error).removeprefix(f'{where}: ')}")
            continue
        pictures = {"input": photo, **{_NAMES.get(one, one): _visible(one, layer) for one, layer in layers.items()}}
        for title, picture in pictures.items():
            _write(target / f"{place:04d}_{_tame(name)}" / f"{title}.png", picture)
        sheet.add(f"{place} {_tame(name)}", {title: picture.float().clamp(0, 1) for title, picture in pictures.items()})
    if len(skipped) < len(photos):
        _write(target / "sheet.png", as_tensor(sheet.pixels().copy()))
    return skipped


def at_native_size(separator: Separator) -> Separate:
    """Photos separated at their native size, within the memory there is; a smaller one where a network must see them whole."""

    def separate(photo: Tensor) -> Mapping[str, Tensor]:
        try:
            return separator(photo.clamp(0, 1), resolution="full")
        except NoRoomError:
            return separator(photo.clamp(0, 1), resolution="auto")

    return separate


def remove_old(folder: Path, history: int) -> list[Path]:
    """Remove all but the newest ``history`` folders ``epoch_0001`` … by number, and nothing else; 0 or less keeps all.

    Returns what was removed.
    """
    if history <= 0:
        return []
    matches = ((_FOLDER.fullmatch(path.name), path) for path in folder.glob("epoch_*") if path.is_dir() and not path.is_symlink())
    found = [path for _, path in sorted((int(match[1]), path) for match, path in matches if match)]
    for path in found[:-history]:
        shutil.rmtree(path, ignore_errors=True)
    return found[:-history]


def _write(path: Path, picture: Tensor) -> None:
    try:
        write(picture.float(), path, overwrite=True)
    except PhotoError as error:
        raise DiskError(str(error)) from error


def _visible(name: str, layer: Tensor) -> Tensor:
    signed = any(name in task.signed for task in TASKS.values())
    return 0.5 + layer / 2 if signed else layer


def _tame(name: str) -> str:
    """A name that every file system takes: letters, digits, points and dashes, not too long."""
    return re.sub(r"[^\w.-]+", "_", name)[:_LONGEST].rstrip(".") or "photo"
