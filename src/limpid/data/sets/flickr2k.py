"""Flickr2K: 2,650 photos of 2K resolution, trained on beside DIV2K."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos


def flickr2k(*, counts: tuple[int, ...] = (2650,)) -> FolderSet:
    """``Flickr2K_HR/<000001…002650>.png``; the reduced copies beside it are left aside."""
    return FolderSet(name="flickr2k", layouts=(photos("Flickr2K_HR", stem=r"\d{6}"),), counts=counts, required=("photo",))


ENTRY = SetEntry(
    build=flickr2k,
    tasks=("denoise", "deblur"),
    source="Timofte et al., CVPR Workshops 2017; Lim et al., CVPR Workshops 2017 (EDSR)",
    home="https://github.com/limbee/NTIRE2017",
)
