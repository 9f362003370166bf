"""Set12: twelve grey photos, such as Lena and Barbara, of 256 or 512 pixels; a test set of grey denoising."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos


def set12(*, counts: tuple[int, ...] = (12,)) -> FolderSet:
    """``[Set12]/<01…12>.png``."""
    return FolderSet(name="set12", layouts=(photos("Set12", stem=r"\d{2}"),), counts=counts, required=("photo",))


ENTRY = SetEntry(
    build=set12, tasks=("denoise",), source="Zhang, Zuo, Chen, Meng & Zhang, TIP 2017 (DnCNN)", home="https://github.com/cszn/DnCNN"
)
