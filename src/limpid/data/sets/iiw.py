"""Intrinsic Images in the Wild: 5,230 photos with human judgements of which of two points is darker."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, Layout, inside


def iiw(*, counts: tuple[int, ...] = (5230,)) -> FolderSet:
    """``iiw-dataset/data/<id>.{png,json}`` → photos, and the judgements in ``judgements/``."""
    layout = Layout(
        looks="[iiw-dataset/data/]<id>.{png,json}",
        pattern=rf"{inside('iiw-dataset/data', 'data')}(?P<stem>\d+)\.(?P<layer>png|json)",
        roles={"png": "photo", "json": "judgements"},
    )
    return FolderSet(name="iiw", layouts=(layout,), counts=counts, required=("photo", "judgements"))


ENTRY = SetEntry(
    build=iiw,
    tasks=("intrinsic",),
    source="Bell, Bala & Snavely, SIGGRAPH 2014",
    home="http://opensurfaces.cs.cornell.edu/publications/intrinsic/",
)
