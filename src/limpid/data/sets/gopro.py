"""GoPro: averaged frames of a fast camera against the sharp middle one; 2,103 pairs to train and 1,111 to test."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside, tidy

_COUNTS = {"test": 1111, "train": 2103}


def gopro(*, variant: Literal["test", "train"] = "test", counts: tuple[int, ...] | None = None) -> FolderSet:
    """``<variant>/<sequence>/{blur,sharp}/<frame>.png`` → ``<sequence>-<frame>``; ``blur_gamma`` is left aside.

    The blurred frame takes the role of the input, the sharp one that of the transmission. ``counts``: others than published.
    """
    released = Layout(
        looks=f"[{variant}/]<sequence>/{{blur,sharp}}/<frame>.png",
        pattern=rf"{inside(variant)}(?P<sequence>GOPR[^/]+)/(?P<layer>blur|sharp)/(?P<frame>\d+){PHOTO}",
        roles={"blur": "input", "sharp": "transmission"},
        stem="{sequence}-{frame}",
    )
    flat = Layout(
        looks=f"[{variant}/]{{input,target}}/<stem>.png",
        pattern=rf"{inside(variant)}(?P<layer>input|target)/(?P<stem>[^/]+){PHOTO}",
        roles={"input": "input", "target": "transmission"},
    )
    return FolderSet(
        name="gopro",
        variant=variant,
        layouts=(released, flat, tidy(variant)),
        counts=counts or (_COUNTS[variant],),
        sizes={"": (720, 1280)},
    )


ENTRY = SetEntry(
    build=gopro,
    tasks=("deblur",),
    source="Nah, Kim & Lee, CVPR 2017, arXiv:1612.02177",
    scenes=r"(?P<scene>GOPR.+)-\d+$",
    home="https://seungjunnah.github.io/Datasets/gopro",
    licence="CC BY 4.0",
)
