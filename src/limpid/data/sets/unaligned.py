"""ERRNet's unaligned pairs, taken without a tripod: to train with a loss that bears shifts, never to score pixels on."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, tidy

_COUNTS = {"unaligned_train250": 250, "unaligned300": 300, "unaligned150": 150}


def unaligned(
    *,
    variant: Literal["unaligned_train250", "unaligned300", "unaligned150"] = "unaligned_train250",
    counts: tuple[int, ...] | None = None,
) -> FolderSet:
    """``<variant>/{blended,transmission_layer}/<stem>``; ``counts``: others than published."""
    return FolderSet(name="unaligned", variant=variant, layouts=(tidy(variant),), counts=counts or (_COUNTS[variant],))


ENTRY = SetEntry(
    build=unaligned,
    tasks=("reflection",),
    source="Wei et al., CVPR 2019, arXiv:1904.00637 (ERRNet)",
    home="https://github.com/Vandermode/ERRNet",
)
