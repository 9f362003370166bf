"""Real20, the test split of the Berkeley real pairs, in the three sizes that circulate; results do not compare across them."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, tidy
from limpid.data.preprocessing import short_side
from limpid.data.sets.berkeley_real import TEST

_PRE_RESIZED = (320, 420)  # height and width of photo 110 in the archive


def real20(*, variant: Literal["native", "short512", "420"] = "native") -> FolderSet:
    """``native`` as downloaded; ``short512`` resized to a short side of 512; ``420`` the archive ``real20_420.zip``.

    The first two come from the Berkeley download. Photo 110 of the archive is 420×320, which tells it from the others.
    """
    return FolderSet(
        name="real20",
        variant=variant,
        layouts=(tidy("real", "real_test", "real20", "real20_420"),),
        counts=(20,),
        stems=TEST,
        sizes={"110": _PRE_RESIZED} if variant == "420" else {},
        unlike={"110": _PRE_RESIZED} if variant == "native" else {},
        change=short_side(512) if variant == "short512" else None,
    )


ENTRY = SetEntry(
    build=real20,
    tasks=("reflection",),
    source="Zhang, Ng & Chen, CVPR 2018; short512: Wei et al., CVPR 2019; 420: Hu & Guo, NeurIPS 2021 (YTMT)",
    home="https://github.com/ceciliavision/perceptual-reflection-removal",
)
