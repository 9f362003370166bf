"""SIDD: noisy photos of five telephones and what 150 of each give together; 1,280 blocks to validate, 320 photos to train."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside
from limpid.data.matlab import stacked_photos

_COUNTS = {"validation": 1280, "medium": 320, "small": 160}
_BLOCKS = ("ValidationNoisyBlocksSrgb", "ValidationGtBlocksSrgb")


def sidd(*, variant: Literal["validation", "medium", "small"] = "validation", counts: tuple[int, ...] | None = None) -> FolderSet:
    """``Validation{Noisy,Gt}BlocksSrgb.mat``, or ``Data/<scene>/[<n>_]{NOISY,GT}_SRGB_<shot>.PNG`` (medium, small).

    Blocks become ``<photo>_<block>``, the photos ``<scene>_<shot>``. Blocks that others have written out,
    ``{input_crops,target_crops}/<stem>.png``, are read as well. ``counts``: others than published.
    """
    photos = Layout(
        looks="Data/<scene>/[<n>_]{NOISY,GT}_SRGB_<shot>.PNG",
        pattern=rf"{inside()}(?P<scene>\d{{4}}_[^/]+)/(?:\d{{4}}_)?(?P<layer>NOISY|GT)_SRGB_(?P<shot>\d{{3}}){PHOTO}",
        roles={"noisy": "input", "gt": "transmission"},
        stem="{scene}_{shot}",
    )
    blocks = Layout(
        looks="Validation{Noisy,Gt}BlocksSrgb.mat",
        pattern=rf"{inside()}Validation(?P<layer>Noisy|Gt)BlocksSrgb/(?P<stem>\d{{4}}_\d{{2}}){PHOTO}",
        roles={"noisy": "input", "gt": "transmission"},
    )
    crops = tuple(
        Layout(
            looks=f"{{input_crops,{truth}_crops}}/<stem>",
            pattern=rf"{inside()}(?P<layer>input|{truth})_crops/(?P<stem>[^/]+){PHOTO}",
            roles={"input": "input", truth: "transmission"},
        )
        for truth in ("target", "gt")
    )
    validation = variant == "validation"
    return FolderSet(
        name="sidd",
        variant=variant,
        layouts=(blocks, *crops) if validation else (photos,),
        counts=counts or (_COUNTS[variant],),
        sizes={"": (256, 256)} if validation else {},
        unpack=stacked_photos(*_BLOCKS) if validation else None,
    )


ENTRY = SetEntry(
    build=sidd,
    tasks=("denoise",),
    source="Abdelhamed, Lin & Brown, CVPR 2018",
    scenes=r"(?:\d{4}_)?(?P<scene>\d{3,4})_",
    home="https://www.eecs.yorku.ca/~kamel/sidd/",
)
