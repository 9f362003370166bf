"""ERRNet's unaligned pairs, taken without a tripod: to train with a loss that bears shifts, never to score pixels on."""

from typing import Literal

from limpid.catalogue import Entry
from limpid.data.layout import FolderSet, tidy

_FOLDERS = {"train250": "unaligned_train250", "unaligned300": "unaligned300", "unaligned150": "unaligned150"}


def unaligned(*, variant: Literal["train250", "unaligned300", "unaligned150"] = "train250") -> FolderSet:
    """``unaligned_train250/{blended,transmission_layer}/<stem>`` and the two other parts by name; the number is the count."""
    count = int(variant.lstrip("abcdefghijklmnopqrstuvwxyz"))
    return FolderSet(name="unaligned", variant=variant, layouts=(tidy(_FOLDERS[variant]),), counts=(count,))


ENTRY = Entry(build=unaligned, tasks=("reflection",), source="Wei et al., CVPR 2019, arXiv:1904.00637 (ERRNet)")
