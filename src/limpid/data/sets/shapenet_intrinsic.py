"""Rendered ShapeNet objects with reflectance and shading, as intrinsic-image networks train on them."""

from limpid.catalogue import SetEntry
from limpid.data.intrinsic_layout import LISTED, IntrinsicSet, Part
from limpid.data.layout import FolderSet


def shapenet_intrinsic(*, variant: Part = "all", rate: str = "", counts: tuple[int, ...] = ()) -> FolderSet:
    """``{input,reflectance,shading,mask}/<stem>`` with the lists of USI3D's loader, see ``IntrinsicSet``.

    ``counts``: any, because every rendering has its own.
    """
    return IntrinsicSet(
        name="shapenet_intrinsic",
        variant=variant,
        rate=rate,
        layouts=(LISTED,),
        counts=counts,
    )


ENTRY = SetEntry(
    build=shapenet_intrinsic,
    tasks=("intrinsic",),
    source="Shi et al., CVPR 2017; layout of Liu et al., CVPR 2020 (USI3D)",
    synthetic=True,
    home="https://github.com/shi-jian/shapenet-intrinsics",
)
