"""MIT Intrinsic Images: painted objects, photographed with their reflectance and shading."""

from limpid.catalogue import SetEntry
from limpid.data.intrinsic_layout import LISTED, IntrinsicSet, Part
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def mit_intrinsic(*, variant: Part = "all", rate: str = "", counts: tuple[int, ...] = (16, 20)) -> FolderSet:
    """``<object>/{original,reflectance,shading}.png`` as released, USIS's flat ``MIT-{input,…}``, or folders of USI3D's loader.

    16 and 20 objects circulate; ``counts`` is () for any. USIS's ``train.txt`` and ``test.txt`` are left aside: it shuffles each
    layer on its own. Lists of USI3D are followed, see ``IntrinsicSet``.
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
    return IntrinsicSet(
        name="mit_intrinsic",
        variant=variant,
        rate=rate,
        layouts=(released, flat, LISTED),
        counts=counts,
    )


ENTRY = SetEntry(
    build=mit_intrinsic,
    tasks=("intrinsic",),
    source="Grosse et al., ICCV 2009; flat layout of DreamtaleCore/USIS; lists of USI3D",
)
