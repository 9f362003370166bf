"""RealBlur: pairs of one scene through two cameras, one shaken; 980 pairs to test, from JPEGs (J) or raw files (R)."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def realblur(*, variant: Literal["J", "R"] = "J", counts: tuple[int, ...] = (980,)) -> FolderSet:
    """``RealBlur_<variant>/{input,target}/<name>.png`` as repackaged for testing."""
    flat = Layout(
        looks=f"[RealBlur_{variant}/]{{input,target}}/<name>.png",
        pattern=rf"{inside(f'RealBlur_{variant}')}(?P<layer>input|target)/(?P<stem>[^/]+){PHOTO}",
        roles={"input": "input", "target": "transmission"},
    )
    return FolderSet(name="realblur", variant=variant, layouts=(flat,), counts=counts)


ENTRY = SetEntry(
    build=realblur,
    tasks=("deblur",),
    source="Rim et al., ECCV 2020; repackaged by Zamir et al., CVPR 2021 and 2022",
    home="http://cg.postech.ac.kr/research/realblur/",
)
