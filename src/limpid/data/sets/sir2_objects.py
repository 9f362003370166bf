"""SIR2 Objects: 20 scenes of solid objects behind glass, at several apertures and thicknesses; 200 triples."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, TIDY, FolderSet, Layout, inside, tidy

LETTERS = {"m": "input", "g": "transmission", "r": "reflection"}
"""SIR2's letters: mixture, ground truth, reflection."""


def lettered(folder: str) -> Layout:
    """A repackaging whose stems still carry the letter: ``blended/ab-10-m-3``, ``transmission_layer/ab-10-g-3``."""
    return Layout(
        looks=f"[{folder}/]{{{','.join(TIDY)}}}/<head>-{{m,g,r}}[-<tail>]",
        pattern=rf"{inside(folder)}(?P<layer>{'|'.join(TIDY)})/(?P<head>[^/]+?)-[mgr](?P<tail>(?:-[^/]*)?){PHOTO}",
        roles=TIDY,
        stem="{head}{tail}",
    )


def sir2_objects(*, counts: tuple[int, ...] = (200,)) -> FolderSet:
    """``SolidObjectDataset/<scene>/{Focus,Thickness}/<value>/{m,g,r}.jpg`` → ``<scene>_<Focus|Thickness>_<value>``."""
    folder = "SolidObjectDataset"
    released = Layout(
        looks=f"[{folder}/]<scene>/{{Focus,Thickness}}/<value>/{{m,g,r}}.jpg",
        pattern=rf"{inside(folder)}(?P<scene>\d+)/(?P<series>Focus|Thickness)/(?P<value>[^/]+)/(?P<layer>[mgr]){PHOTO}",
        roles=LETTERS,
        stem="{scene}_{series}_{value}",
    )
    layouts = (released, tidy(folder), lettered(folder))
    return FolderSet(name="sir2_objects", layouts=layouts, counts=counts, optional=("reflection",))


ENTRY = SetEntry(
    build=sir2_objects,
    tasks=("reflection",),
    source="Wan et al., ICCV 2017 (SIR2)",
    scenes=r"(?P<scene>\d+|[a-z]{2})[_-]",
    home="https://sir2data.github.io/",
)
