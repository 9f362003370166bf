"""Kodak24: the lossless true-colour suite, whole (768×512) or as the 500×500 centre crops of the published tables."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside
from limpid.data.preprocessing import centre_crop

NUMBERS = frozenset(f"kodim{number:02d}" for number in range(1, 25))
"""Stems of the suite."""


def kodak24(*, variant: Literal["full", "crop500"] = "full") -> FolderSet:
    """``kodim01.png`` to ``kodim24.png``, the ``kodim`` optional; published denoising results are of ``crop500``."""
    whole = variant == "full"
    layout = Layout(
        looks="[kodim]<01…24>.png",
        pattern=rf"{inside()}(?:kodim)?(?P<number>\d\d){PHOTO}",
        roles={"": "photo"},
        stem="kodim{number}",
    )
    return FolderSet(
        name="kodak24",
        variant=variant,
        layouts=(layout,),
        counts=(24,),
        stems=NUMBERS,
        required=("photo",),
        sizes={"": (512, 768) if whole else (500, 500)},
        change=None if whole else centre_crop(500),
    )


ENTRY = SetEntry(
    build=kodak24,
    tasks=("denoise",),
    source="Kodak Lossless True Color Image Suite; crops: Zhang, Zuo & Zhang, TIP 2018 (FFDNet)",
    home="https://r0k.us/graphics/kodak/",
    licence="released for unrestricted use",
)
