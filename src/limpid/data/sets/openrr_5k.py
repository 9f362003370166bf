"""OpenRR-5k, the set of NTIRE 2026: aligned real pairs made as those of OpenRR-1k; 5,000 to train, 300 to validate, 100 to test."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside, tidy

_COUNTS = {"valid": 300, "train": 5000, "test": 100}


def openrr_5k(*, variant: Literal["valid", "train", "test"] = "valid", counts: tuple[int, ...] | None = None) -> FolderSet:
    """The archives as they are named: ``val_300_{blended,transmission}``, ``train_5000`` (or ``trian_5k``), ``test_100_blended``.

    The test photos have no published truth. ``counts``: others than published.
    """
    tidied = {"valid": ("val_300", "OpenRR-5k_val"), "train": ("train_5000", "train_5k", "trian_5k"), "test": ("test_100",)}
    archive = {"valid": "val_300", "train": "train_5000", "test": "test_100"}[variant]
    split = Layout(
        looks=f"{archive}_{{blended,transmission}}/<name>",
        pattern=rf"{inside()}{archive}_(?P<layer>blended|transmission)/(?:[^/]+/)*(?P<stem>[^/]+){PHOTO}",
        roles={"blended": "input", "transmission": "transmission"},
    )
    return FolderSet(
        name="openrr_5k",
        variant=variant,
        layouts=(split, tidy(*tidied[variant])),
        counts=counts or (_COUNTS[variant],),
        required=("input",) if variant == "test" else ("input", "transmission"),
    )


ENTRY = SetEntry(
    build=openrr_5k,
    tasks=("reflection",),
    source="Cai et al., MIPR 2025; NTIRE 2026, arXiv:2604.10321",
    home="https://huggingface.co/datasets/qiuzhangTiTi/OpenRR-5k",
)
