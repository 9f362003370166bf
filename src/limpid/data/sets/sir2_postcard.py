"""SIR2 Postcard: 20 pairs of postcards, one behind the glass and one mirrored, at several apertures and thicknesses."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside, tidy
from limpid.data.sets.sir2_objects import LETTERS, lettered


def sir2_postcard(*, counts: tuple[int, ...] = (199, 200, 198, 179)) -> FolderSet:
    """``Postcard Dataset/{Focus,Thickness}/<pair>/<value>/<name>-{m,g,r}-<…>.png`` → ``<Focus|Thickness>_<pair>_<value>``.

    200 by name, 199 in the papers; copies with 198 and 179 circulate. The count belongs to a result.
    """
    names = ("Postcard Dataset", "PostcardDataset")
    released = Layout(
        looks="[Postcard Dataset/]{Focus,Thickness}/<pair>/<value>/<name>-{m,g,r}[-<…>].png",
        pattern=rf"{inside(*names)}(?P<series>Focus|Thickness)/(?P<pair>[a-z]{{2}})/(?P<value>[^/]+)/"
        rf"[^/]*?-(?P<layer>[mgr])(?:-[^/]*)?{PHOTO}",
        roles=LETTERS,
        stem="{series}_{pair}_{value}",
    )
    layouts = (released, tidy(*names), lettered("PostcardDataset"))
    return FolderSet(name="sir2_postcard", layouts=layouts, counts=counts, optional=("reflection",))


ENTRY = SetEntry(
    build=sir2_postcard,
    tasks=("reflection",),
    source="Wan et al., ICCV 2017 (SIR2)",
    scenes=r"(?:(?:Focus|Thickness)_)?(?P<scene>[a-z]{2})[_-]",
    home="https://sir2data.github.io/",
)
