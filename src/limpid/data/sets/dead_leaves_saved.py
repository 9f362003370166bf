"""Dead-leaves charts that were saved as PNG: the four published presets."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos
from limpid.physics.leaves.presets import PRESETS

Variant = Literal["randomrgb_1024", "div2k_1024", "div2k_512", "primitives_div2k_512"]


def dead_leaves_saved(*, variant: Variant = "div2k_512", count: int | None = None) -> FolderSet:
    """``deadleaves_<variant>/<0000…>.png``, or what ``limpid synthesise leaves --preset`` made; ``count``: another number.

    Published files were written with red and blue exchanged; their bytes are kept as they are.
    """
    preset = PRESETS[variant]
    return FolderSet(
        name="dead_leaves_saved",
        variant=variant,
        layouts=(photos(f"deadleaves_{variant}", variant, stem=r"\d{4,}"),),
        counts=(preset.count if count is None else count,),
        required=("photo",),
        sizes={"": (preset.side, preset.side)},
    )


ENTRY = SetEntry(
    build=dead_leaves_saved,
    tasks=("denoise", "deblur"),
    source="published presets of a dead-leaves training set (Lee, Mumford & Huang, IJCV 2001, for the model)",
    synthetic=True,
)
