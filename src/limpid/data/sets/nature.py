"""Nature: real pairs of outdoor scenes from the IBCLN archive, 200 to train and 20 to test."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside, tidy

_FOLDERS = {"train": ("natural_I", "natural_T"), "test": ("testB", "testA1")}
_COUNTS = {"train": 200, "test": 20}


def nature(*, variant: Literal["train", "test"] = "train", counts: tuple[int, ...] | None = None) -> FolderSet:
    """``natural_I``/``natural_T`` (train) or ``testB``/``testA1`` (test), input and transmission; endings differ by side.

    ``counts``: others than published.
    """
    photo, behind = _FOLDERS[variant]
    archive = Layout(
        looks=f"{{{photo},{behind}}}/<stem>",
        pattern=rf"{inside()}(?P<layer>{photo}|{behind})/(?P<stem>[^/]+){PHOTO}",
        roles={photo.lower(): "input", behind.lower(): "transmission"},
    )
    repackaged = tidy(f"{variant}/nature", looks=f"[{variant}/nature/]{{blended,transmission_layer}}/<stem>")
    return FolderSet(name="nature", variant=variant, layouts=(archive, repackaged), counts=counts or (_COUNTS[variant],))


ENTRY = SetEntry(
    build=nature,
    tasks=("reflection",),
    source="Li et al., CVPR 2020, arXiv:1911.06634 (IBCLN)",
    home="https://github.com/JHL-HUST/IBCLN",
)
