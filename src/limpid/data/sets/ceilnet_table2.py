"""CEILNet's synthetic test set of its table 2: 100 triples of 224×224."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, Layout, inside, tidy


def triples(folder: str) -> Layout:
    """``<folder>/<id>-{input,label1,label2}.png``: input, transmission, reflection after blur and darkening."""
    return Layout(
        looks=f"[{folder}/]<id>-{{input,label1,label2}}.png",
        pattern=rf"{inside(folder)}(?P<stem>[^/]+)-(?P<layer>input|label1|label2)\.png",
        roles={"input": "input", "label1": "transmission", "label2": "reflection"},
    )


def ceilnet_table2(*, counts: tuple[int, ...] = (100,)) -> FolderSet:
    """``testdata_reflection_synthetic_table2/``, or tidied already; stems are the ids of the VOC photos behind the glass."""
    return FolderSet(
        name="ceilnet_table2",
        layouts=(triples("testdata_reflection_synthetic_table2"), tidy("testdata_reflection_synthetic_table2")),
        counts=counts,
        optional=("reflection",),
        sizes={"": (224, 224)},
    )


ENTRY = SetEntry(
    build=ceilnet_table2,
    tasks=("reflection",),
    source="Fan et al., ICCV 2017, arXiv:1708.03474",
    synthetic=True,
    home="https://github.com/fqnchina/CEILNet",
)
