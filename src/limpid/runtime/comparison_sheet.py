"""Before and after on one picture: the photo, and beside it, a row for each network, what was made of it."""

from collections.abc import Collection, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.image.contact_sheet import side_by_side
from limpid.image.read import read
from limpid.image.size import fit, shrink
from limpid.image.write import write
from limpid.runtime.photo_jobs import Sheet

LONGEST = 720
"""Longer side of each picture on a sheet, pixels; larger ones are averaged down."""

_LEAST = 192  # smaller ones grow by whole numbers, so that captions have room and pixels stay squares


def write_sheets(sheets: Sequence[Sheet], failed: Collection[str], *, overwrite: bool) -> list[Path]:
    """Write the sheets of all photos but those that ``failed``, from the files that their layers went to; returns the files.

    Raises PhotoError for a layer that is gone, and for a file that exists, unless ``overwrite``.
    """
    made = []
    for sheet in sheets:
        if sheet.name in failed:
            continue
        before = _picture(sheet.source, sheet.frame)
        several = len(sheet.layers) > 1
        rows = []
        for label, layers in sheet.layers.items():
            named = {f"{label}: {layer}" if several else layer: _picture(path) for layer, path in layers.items()}
            rows.append(side_by_side({"before": before, **named}))
        width = max(row.shape[2] for row in rows)
        picture = torch.cat([F.pad(row, (0, width - row.shape[2]), value=1.0) for row in rows], dim=1)
        write(picture, sheet.target, overwrite=overwrite)
        made.append(sheet.target)
    return made


def _picture(path: Path, frame: int | None = None) -> Tensor:
    """A photo (3, H, W) of a size for a sheet; its own colours, transparency left out."""
    photo = read(path, frame=frame)
    size = fit(photo.height, photo.width, LONGEST)
    if size != (photo.height, photo.width):
        return photo.resized(shrink(photo.pixels, *size)).tensor()
    times = max(1, _LEAST // max(size))
    return photo.tensor().repeat_interleave(times, dim=1).repeat_interleave(times, dim=2)
