"""BSD68: the 68 photos of CBSD68 in grey, the test set of grey denoising."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos


def bsd68(*, counts: tuple[int, ...] = (68,)) -> FolderSet:
    """``[BSD68|Set68]/test<001…068>.png``, 481×321, upright or not."""
    return FolderSet(
        name="bsd68",
        layouts=(photos("BSD68", "Set68", stem=r"test\d{3}"),),
        counts=counts,
        required=("photo",),
        sizes={"": (321, 481)},
    )


ENTRY = SetEntry(
    build=bsd68,
    tasks=("denoise",),
    source="Martin et al., ICCV 2001; Roth & Black, CVPR 2005 (the 68)",
    home="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/",
)
