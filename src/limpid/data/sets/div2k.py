"""DIV2K: photos of 2K resolution, 800 to train and 100 to validate."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos


def div2k(*, variant: Literal["train", "valid"] = "train") -> FolderSet:
    """``DIV2K_train_HR/<0001…0800>.png`` or ``DIV2K_valid_HR/<0801…0900>.png``; doubled folders do no harm."""
    numbers = range(1, 801) if variant == "train" else range(801, 901)
    return FolderSet(
        name="div2k",
        variant=variant,
        layouts=(photos(f"DIV2K_{variant}_HR", stem=r"\d{4}"),),
        counts=(len(numbers),),
        stems=frozenset(f"{number:04d}" for number in numbers),
        required=("photo",),
    )


ENTRY = SetEntry(
    build=div2k,
    tasks=("denoise", "deblur"),
    source="Agustsson & Timofte, CVPR Workshops 2017",
    home="https://data.vision.ee.ethz.ch/cvl/DIV2K/",
    licence="academic research only",
)
