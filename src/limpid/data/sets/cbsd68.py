"""CBSD68: 68 colour photos of the Berkeley segmentation set, the test set of colour denoising."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos


def cbsd68(*, counts: tuple[int, ...] = (68,)) -> FolderSet:
    """``CBSD68/<id>.png``, or ``original_png/<id>.png`` where noisy copies lie beside it; all 481×321, upright or not."""
    layouts = (photos("CBSD68"), photos("original_png"))
    return FolderSet(name="cbsd68", layouts=layouts, counts=counts, required=("photo",), sizes={"": (321, 481)})


ENTRY = SetEntry(
    build=cbsd68,
    tasks=("denoise",),
    source="Martin et al., ICCV 2001; Roth & Black, CVPR 2005 (the 68)",
    home="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/",
)
