"""McMaster: 18 colour photos of 500×500 pixels, made for demosaicking and used to test colour denoising."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos


def mcmaster(*, counts: tuple[int, ...] = (18,)) -> FolderSet:
    """``[McMaster]/<1…18>.tif``, or as PNG."""
    return FolderSet(
        name="mcmaster",
        layouts=(photos("McMaster", "McM", stem=r"\d{1,2}"),),
        counts=counts,
        required=("photo",),
        sizes={"": (500, 500)},
    )


ENTRY = SetEntry(
    build=mcmaster,
    tasks=("denoise",),
    source="Zhang, Wu, Buades & Li, Journal of Electronic Imaging 2011",
    home="https://www4.comp.polyu.edu.hk/~cslzhang/CDM_Dataset.htm",
)
