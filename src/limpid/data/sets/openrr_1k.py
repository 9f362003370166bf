"""OpenRR-1k, the set of NTIRE 2025: aligned real pairs by a phone's eraser and retouching, 800, 100 and 100."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, tidy

_FOLDERS = {"train": "train_800", "valid": "val_100", "test": "test_100"}


def openrr_1k(*, variant: Literal["test", "valid", "train"] = "test", counts: tuple[int, ...] | None = None) -> FolderSet:
    """``{train_800,val_100,test_100}/{blended,transmission_layer}/<name>``. ``counts``: others than published."""
    folder = _FOLDERS[variant]
    return FolderSet(name="openrr_1k", variant=variant, layouts=(tidy(folder),), counts=counts or (int(folder.rpartition("_")[2]),))


ENTRY = SetEntry(
    build=openrr_1k,
    tasks=("reflection",),
    source="Yang et al., 2025, arXiv:2506.08299; NTIRE 2025",
    home="https://huggingface.co/datasets/qiuzhangTiTi/NTIRE2025-SIRR",
)
