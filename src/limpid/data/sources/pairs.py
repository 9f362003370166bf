"""Pairs of photos taken with and without the glass."""

from limpid.catalogue import SourceEntry
from limpid.data.augment import Augment
from limpid.data.concat import Sources
from limpid.data.pairing import Mismatch
from limpid.data.pairs import PairSource, Part, Reflection
from limpid.data.photo_folders import Roots, folders
from limpid.layers.task import Task


def pairs(
    *,
    root: Roots,
    task: Task | None = None,
    augment: Augment | None = None,
    allow_missing: bool = False,
    on_mismatch: Mismatch = "refuse",
    reflection: Reflection = "file",
    part: Part = "all",
    hold_out: float = 0.2,
) -> Sources:
    """Every pair of one or several roots: ``blended/`` and the folders of the task's layers, such as ``transmission_layer/``.

    Without ``augment`` as they are; the other settings are those of ``PairSource``. Raises DataError.
    """
    return Sources(
        [
            PairSource(
                folder,
                augment,
                task=task,
                allow_missing=allow_missing,
                on_mismatch=on_mismatch,
                reflection=reflection,
                part=part,
                hold_out=hold_out,
            )
            for folder in folders(root)
        ]
    )


ENTRY = SourceEntry(build=pairs, tasks=("reflection", "denoise", "deblur", "intrinsic"), source="Zhang, Ng & Chen, CVPR 2018")
