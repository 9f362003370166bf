"""RRW, Reflection Removal in the Wild: frames through a hand-held pane, over 14,950, with one photo without it for each scene."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside, tidy


def rrw(*, counts: tuple[int, ...] = ()) -> FolderSet:
    """``<part>/<scene>/frame_<n>.jpg`` with ``<part>/GT_<…>/<scene>_GT.png`` → ``<part>_<scene>_frame_<n>``.

    Parts are ``ref_hf3``, ``reflection_vivo2`` and the like, each an archive. Frames of a scene without truth, of which the
    download has some, are left aside; ``counts``: any, because the number that remains is not published.
    """
    released = Layout(
        looks="<part>/{<scene>/frame_<n>.jpg,GT_<…>/<scene>_GT.png}",
        pattern=rf"{inside()}(?P<part>ref[^/]*)/(?P<scene>[^/]+)/(?P<frame>frame_\d+){PHOTO}",
        roles={"": "input"},
        stem="{part}_{scene}_{frame}",
        shared=rf"{inside()}(?P<part>ref[^/]*)/GT_[^/]+/(?P<scene>[^/]+)_GT{PHOTO}",
    )
    return FolderSet(name="rrw", layouts=(released, tidy("RRW")), counts=counts)


ENTRY = SetEntry(
    build=rrw,
    tasks=("reflection",),
    source="Zhu et al., CVPR 2024, arXiv:2311.17320",
    licence="MIT, as its page says",
    scenes=r"(?P<scene>.+)_frame_\d+$",
    home="https://huggingface.co/datasets/zhuyr/RRW",
)
