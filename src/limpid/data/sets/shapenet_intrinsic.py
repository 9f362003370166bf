"""Rendered ShapeNet objects with reflectance and shading, as intrinsic-image networks train on them."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def shapenet_intrinsic(*, counts: tuple[int, ...] = ()) -> FolderSet:
    """``{input,reflectance,shading}/<stem>``; ``counts``: any, because every rendering has its own."""
    layout = Layout(
        looks="{input,reflectance,shading}/<stem>",
        pattern=rf"{inside()}(?P<layer>input|reflectance|shading)/(?P<stem>[^/]+){PHOTO}",
        roles={"input": "input", "reflectance": "albedo", "shading": "shading"},
    )
    return FolderSet(
        name="shapenet_intrinsic", layouts=(layout,), counts=counts, required=("input", "albedo"), optional=("shading",)
    )


ENTRY = SetEntry(
    build=shapenet_intrinsic,
    tasks=("intrinsic",),
    source="Shi et al., CVPR 2017; layout of Liu et al., CVPR 2020 (USI3D)",
    synthetic=True,
    home="https://github.com/shi-jian/shapenet-intrinsics",
)
