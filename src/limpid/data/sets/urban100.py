"""Urban100: photos of buildings, full of fine repeated structure; the hardest usual test of colour denoising."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos


def urban100(*, counts: tuple[int, ...] = (100,)) -> FolderSet:
    """``[Urban100|Urban100_HR|HR]/img_<001…100>.png``, with ``_SRF_<n>_HR`` in the download of super-resolution."""
    return FolderSet(
        name="urban100",
        layouts=(photos("Urban100", "Urban100_HR", "HR", stem=r"img_\d{3}(?:_SRF_\d_HR)?"),),
        counts=counts,
        required=("photo",),
    )


ENTRY = SetEntry(
    build=urban100, tasks=("denoise",), source="Huang, Singh & Ahuja, CVPR 2015", home="https://github.com/jbhuang0604/SelfExSR"
)
