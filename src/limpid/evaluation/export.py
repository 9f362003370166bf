"""``--export``: what models see under a degradation, for other people's code, whose outputs ``--outputs`` then reads."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from limpid.errors import LimpidError, UsageError
from limpid.evaluation.items import Item
from limpid.evaluation.methods import condition_folder
from limpid.evaluation.protocols import SizeRule
from limpid.image.photo import Photo
from limpid.progress import bar, say

INPUTS, TRUTHS = "input", "truth"


def exported(folder: Path, items: Sequence[Item], rule: SizeRule, quiet: bool) -> int:
    """Write every degraded photo and its truth; returns how many photos.

    ``FOLDER/input/SET/CONDITION/NAME.tif`` and the same below ``truth``: RGB, float32, 0…1, neither clipped nor rounded unless the
    condition is. A photo that cannot be read is one line. Raises UsageError when the folder cannot be written to.
    """
    written = 0
    with bar(total=len(items), unit="image", quiet=quiet) as progress:
        for item in items:
            try:
                case = item.open(rule)
            except LimpidError as fault:
                say(f"limpid: not exported: {fault}")
                continue
            place = Path(item.set) / condition_folder(item) / f"{item.name}.tif"
            for part, photo in ((INPUTS, case.photo), (TRUTHS, next(iter(case.truths.values())))):
                _write(folder / part / place, photo)
            written += 1
            progress.advance(f"{item.set} {item.name}")
    return written


def _write(path: Path, photo: Photo) -> None:
    pixels = photo.pixels.astype(np.float32)
    _, content = cv2.imencode(".tif", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.tobytes())
    except OSError as fault:
        raise UsageError(f"{path} cannot be written ({fault.strerror or fault}); choose another folder with --export") from fault
