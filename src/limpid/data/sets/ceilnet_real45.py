"""CEILNet's 45 real photos with reflections, without ground truth: to look at, and for measures without a reference."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside, tidy


def ceilnet_real45(*, counts: tuple[int, ...] = (45,)) -> FolderSet:
    """``testdata_reflection_real/<name>-input.{jpg,png}``, or tidied already into ``blended/``."""
    folder = "testdata_reflection_real"
    published = Layout(
        looks=f"[{folder}/]<name>-input.{{jpg,png}}",
        pattern=rf"{inside(folder)}(?P<stem>[^/]+)-(?P<layer>input){PHOTO}",
        roles={"input": "input"},
    )
    return FolderSet(name="ceilnet_real45", layouts=(published, tidy(folder)), counts=counts, required=("input",))


ENTRY = SetEntry(
    build=ceilnet_real45,
    tasks=("reflection",),
    source="Fan et al., ICCV 2017, arXiv:1708.03474",
    home="https://github.com/fqnchina/CEILNet",
)
