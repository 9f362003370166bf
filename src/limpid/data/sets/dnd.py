"""DND, the Darmstadt noise data set: 1,000 patches of 50 noisy photos, whose truth only its server has."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside
from limpid.data.matlab import boxed_photos


def dnd(*, counts: tuple[int, ...] = (1000,)) -> FolderSet:
    """``info.mat`` and ``images_srgb/<0001…0050>.mat`` → the boxes of each photo, ``<photo>_<01…20>``, PNG of 16 bits.

    The same patches as PNG in ``images_srgb/`` are read as well. Needs h5py. ``counts``: others than published.
    """
    patches = Layout(
        looks="info.mat and images_srgb/<photo>.mat",
        pattern=rf"{inside('images_srgb')}(?P<stem>\d{{4}}_\d{{2}}){PHOTO}",
        roles={"": "input"},
    )
    return FolderSet(
        name="dnd", layouts=(patches,), counts=counts, required=("input",), sizes={"": (512, 512)}, unpack=boxed_photos
    )


ENTRY = SetEntry(
    build=dnd,
    tasks=("denoise",),
    source="Plötz & Roth, CVPR 2017",
    home="https://noise.visinf.tu-darmstadt.de/",
)
