"""CEILNet's other synthetic test set: 41 triples of mixed sizes."""

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, tidy
from limpid.data.sets.ceilnet_table2 import triples


def ceilnet_41(*, counts: tuple[int, ...] = (41,)) -> FolderSet:
    """``testdata_reflection_synthetic/<id>-{input,label1,label2}.png``, or tidied already."""
    folder = "testdata_reflection_synthetic"
    return FolderSet(name="ceilnet_41", layouts=(triples(folder), tidy(folder)), counts=counts, optional=("reflection",))


ENTRY = SetEntry(
    build=ceilnet_41,
    tasks=("reflection",),
    source="Fan et al., ICCV 2017, arXiv:1708.03474",
    synthetic=True,
    home="https://github.com/fqnchina/CEILNet",
)
