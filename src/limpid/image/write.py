"""Writing a layer so that nothing is ever half-written: a temporary name in the same folder, then one rename."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from torch import Tensor

from limpid.errors import LimpidError, PhotoError, printable
from limpid.files import replacing
from limpid.image.encode import encode
from limpid.image.formats import canonical
from limpid.image.photo import Photo
from limpid.layers.pixels import Pixels


@dataclass(frozen=True, kw_only=True)
class Written:
    """Where a layer went (``-`` for an open file), and what its format could not hold, in words for the user."""

    path: Path
    notes: tuple[str, ...] = ()


def write(
    layer: Tensor | Pixels,
    path: str | os.PathLike[str] | BinaryIO,
    *,
    like: Photo | None = None,
    format: str | None = None,
    quality: int = 95,
    overwrite: bool = False,
    mode: int | None = None,
) -> Written:
    """Write a layer to a path, or to an open binary file such as standard output.

    ``layer``: (3, H, W) tensor 0…1, or an array (H, W, 1 or 3) in its final depth. ``like``: photo whose depth, greyness,
    alpha and metadata are kept. ``format``: name or extension; by default what the path's extension says, else that of
    ``like``, else PNG. ``quality``: 1…100, of JPEG, WebP (100 is lossless) and AVIF. An existing file is replaced only with
    ``overwrite``; missing folders are made. ``mode``: permission bits of the file, by default those that the system gives. Raises
    PhotoError when anything fails, and then leaves nothing behind.

    >>> import io, torch
    >>> file = io.BytesIO()
    >>> write(torch.rand(3, 4, 6), file, format="png").notes
    ()
    >>> file.getvalue()[1:4]
    b'PNG'
    """
    if not isinstance(path, (str, os.PathLike)):
        return Written(path=Path("-"), notes=encode(layer, path, like=like, format=format, quality=quality))
    path = Path(path)
    if path.is_dir():
        raise PhotoError(f"{printable(path)}: it is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise PhotoError(f"{printable(path)}: it exists; choose another name or allow overwriting (--overwrite)")
    if format is not None or path.suffix:
        format = canonical(format or path.suffix)
    try:
        with replacing(path, mode=mode) as partial, partial.open("wb") as file:
            notes = encode(layer, file, like=like, format=format, quality=quality)
    except LimpidError as fault:
        raise type(fault)(f"{printable(path)}: {str(fault).removeprefix(f'{like.name}: ' if like else '')}") from fault
    except OSError as fault:
        remedy = "free some space, or choose another folder with -o"
        raise PhotoError(f"{printable(path)}: cannot be written ({fault.strerror or fault}); {remedy}") from fault
    return Written(path=path, notes=notes)
