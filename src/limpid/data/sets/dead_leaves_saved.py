"""Dead-leaves charts that were saved as PNG: the four published presets."""

from dataclasses import dataclass

from limpid.catalogue import Entry
from limpid.data.layout import FolderSet, photos
from limpid.errors import UnknownNameError


@dataclass(frozen=True)
class Preset:
    """Number of charts and side in pixels."""

    count: int
    side: int


PRESETS = {
    "randomrgb_1024": Preset(1000, 1024),
    "div2k_1024": Preset(1000, 1024),
    "div2k_512": Preset(4000, 512),
    "primitives_div2k_512": Preset(4000, 512),
}
"""Presets of the published saver."""


def dead_leaves_saved(*, variant: str = "div2k_512", count: int | None = None) -> FolderSet:
    """``deadleaves_<variant>/<0000…>.png``; ``count``: another number of charts than published.

    Published files were written with red and blue exchanged; their bytes are kept as they are. Raises UnknownNameError.
    """
    if variant not in PRESETS:
        raise UnknownNameError("preset of dead leaves", variant, PRESETS)
    preset = PRESETS[variant]
    return FolderSet(
        name="dead_leaves_saved",
        variant=variant,
        layouts=(photos(f"deadleaves_{variant}", variant, stem=r"\d{4,}"),),
        counts=(preset.count if count is None else count,),
        required=("photo",),
        sizes={"": (preset.side, preset.side)},
    )


ENTRY = Entry(
    build=dead_leaves_saved,
    tasks=("denoise", "deblur"),
    source="published presets of a dead-leaves training set (Lee, Mumford & Huang, IJCV 2001, for the model)",
)
