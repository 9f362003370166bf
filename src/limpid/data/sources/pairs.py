"""Pairs of photos taken with and without the glass."""

from typing import Literal

from limpid.catalogue import Entry
from limpid.data.augment import Augment
from limpid.data.concat import Sources
from limpid.data.pairing import Mismatch
from limpid.data.pairs import PairSource
from limpid.data.photo_folders import Roots, folders


def pairs(
    *,
    root: Roots,
    augment: Augment | None = None,
    allow_missing: bool = False,
    on_mismatch: Mismatch = "refuse",
    reflection: Literal["file", "difference"] = "file",
) -> Sources:
    """Every pair of one or several roots (``blended/``, ``transmission_layer/``, optional ``reflection_layer/``).

    Without ``augment`` as they are; the other settings are those of ``PairSource``. Raises DataError.
    """
    return Sources(
        [
            PairSource(folder, augment, allow_missing=allow_missing, on_mismatch=on_mismatch, reflection=reflection)
            for folder in folders(root)
        ]
    )


ENTRY = Entry(build=pairs, tasks=("reflection", "denoise", "deblur"), source="Zhang, Ng & Chen, CVPR 2018")
