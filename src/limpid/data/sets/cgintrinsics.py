"""CGIntrinsics: rendered rooms with albedo; their shading is computed here, as USI3D does."""

from limpid.catalogue import SetEntry
from limpid.data.intrinsic_layout import LISTED, IntrinsicSet, Part
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def cgintrinsics(*, variant: Part = "all", rate: str = "", counts: tuple[int, ...] = ()) -> FolderSet:
    """``images/<scene>/<n>_mlt{,_albedo,_mask}.png`` as released → ``<scene>-<n>_mlt``, or the folders of USI3D's script.

    Albedo and shading are linear there and become sRGB-encoded; the product of both is the photo up to one factor, see
    ``cgintrinsics_shading``. In the script's folders the photo is linear as well. ``counts``: any; parts of the set circulate.
    """
    released = Layout(
        looks="[images/]<scene>/<n>[_mlt]{,_albedo,_mask}.png",
        pattern=rf"{inside('images')}(?P<scene>[^/]+)/(?P<image>[^/]*\d(?:_mlt)?)(?P<layer>|_albedo|_mask){PHOTO}",
        roles={"": "input", "_albedo": "albedo", "_mask": "mask"},
        stem="{scene}-{image}",
    )
    return IntrinsicSet(
        name="cgintrinsics",
        variant=variant,
        rate=rate,
        layouts=(released, LISTED),
        counts=counts,
        required=("input", "albedo", "mask"),
        optional=("shading",),
        linear=True,
    )


ENTRY = SetEntry(
    build=cgintrinsics,
    tasks=("intrinsic",),
    source="Li & Snavely, ECCV 2018, arXiv:1808.08601; prepared as by Liu et al., CVPR 2020 (USI3D)",
    scenes=r"(?P<scene>.+)-[^-]+$",
    synthetic=True,
    home="https://github.com/zhengqili/CGIntrinsics",
)
