"""SIR2 Wild: scenes outside the laboratory; 55 in the papers, 101 in the current download."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside, tidy
from limpid.data.sets.sir2_objects import LETTERS, lettered


def sir2_wild(*, counts: tuple[int, ...] = (55, 101, 52)) -> FolderSet:
    """``WildSceneDataset/withgt/<n>/{m,g,r}.jpg`` (old release) or ``Wildscene/<name>/{m,g,r}.jpg`` → ``<n>`` or ``<name>``.

    A copy with 52 circulates. The count belongs to a result: wild55 and wild101 do not compare.
    """
    releases = tuple(
        Layout(
            looks=f"[{looks}/]<name>/{{m,g,r}}.jpg",
            pattern=rf"{inside(folder)}(?P<name>[^/]+)/(?P<layer>[mgr]){PHOTO}",
            roles=LETTERS,
            stem="{name}",
        )
        for folder, looks in (("Wildscene", "Wildscene"), ("withgt", "WildSceneDataset/withgt"))
    )
    layouts = (*releases, tidy("WildSceneDataset", "Wildscene"), lettered("WildSceneDataset"))
    return FolderSet(name="sir2_wild", layouts=layouts, counts=counts, optional=("reflection",))


ENTRY = SetEntry(
    build=sir2_wild,
    tasks=("reflection",),
    source="Wan et al., ICCV 2017, and IEEE TPAMI 2022 (SIR2+)",
    home="https://sir2data.github.io/",
)
