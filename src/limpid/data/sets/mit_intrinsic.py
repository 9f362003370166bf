"""MIT Intrinsic Images: painted objects, photographed with their reflectance and shading."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def mit_intrinsic(*, counts: tuple[int, ...] = (16, 20)) -> FolderSet:
    """``<object>/{original,reflectance,shading}.png`` as released, or the flat ``MIT-{input,reflectance,shading}`` of USIS.

    16 and 20 objects circulate. Lists such as ``train.txt`` are left aside: what is trained on without pairs is shuffled anyway.
    """
    roles = {"original": "input", "input": "input", "reflectance": "albedo", "shading": "shading"}
    released = Layout(
        looks="[data/]<object>/{original,reflectance,shading}.png",
        pattern=rf"(?:^|/)(?P<stem>[^/]+)/(?P<layer>original|reflectance|shading){PHOTO}",
        roles=roles,
    )
    flat = Layout(
        looks="[MIT/]MIT-{input,reflectance,shading}/<stem>.png",
        pattern=rf"{inside('MIT')}MIT-(?P<layer>input|reflectance|shading)/(?P<stem>[^/]+){PHOTO}",
        roles=roles,
    )
    return FolderSet(
        name="mit_intrinsic", layouts=(released, flat), counts=counts, required=("input", "albedo"), optional=("shading",)
    )


ENTRY = SetEntry(
    build=mit_intrinsic,
    tasks=("intrinsic",),
    source="Grosse et al., ICCV 2009; flat layout of DreamtaleCore/USIS",
)
