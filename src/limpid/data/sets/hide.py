"""HIDE: blurred photos of people, 2,025 pairs to test; networks trained on GoPro are tried on it."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def hide(*, counts: tuple[int, ...] = (2025,)) -> FolderSet:
    """``HIDE/{input,target}/<name>.png`` as repackaged for testing."""
    flat = Layout(
        looks="[HIDE/]{input,target}/<name>.png",
        pattern=rf"{inside('HIDE')}(?P<layer>input|target)/(?P<stem>[^/]+){PHOTO}",
        roles={"input": "input", "target": "transmission"},
    )
    return FolderSet(name="hide", layouts=(flat,), counts=counts, sizes={"": (720, 1280)})


ENTRY = SetEntry(
    build=hide,
    tasks=("deblur",),
    source="Shen et al., ICCV 2019; repackaged by Zamir et al., CVPR 2021 and 2022",
    home="https://github.com/joanshen0508/HA_deblur",
)
