"""The Berkeley real pairs (Zhang et al.): 109 photos with and without a pane of glass, 89 to train and 20 to test."""

from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, tidy

TEST = frozenset(map(str, (3, 4, 9, 12, 15, 22, 23, 25, 29, 39, 46, 47, 58, 86, 87, 89, 93, 103, 107, 110)))
"""Stems of the published test split (real20)."""

ALL = frozenset(str(number) for number in range(1, 111) if number != 34)
"""Stems of the download; there is no 34."""

_SPLIT = {"train": ("real_train",), "test": ("real_test",), "all": ("real_train", "real_test")}


def berkeley_real(*, variant: Literal["train", "test", "all"] = "train") -> FolderSet:
    """``real/{blended,transmission_layer}/<n>.jpg``; ``train`` leaves the test photos out, so that none is trained on.

    Roots that were split by hand, into ``real_train`` and ``real_test``, are read as well.
    """
    stems = {"train": ALL - TEST, "test": TEST, "all": ALL}[variant]
    return FolderSet(
        name="berkeley_real",
        variant=variant,
        layouts=(tidy("real"), tidy(*_SPLIT[variant])),
        counts=(len(stems),),
        stems=stems,
    )


ENTRY = SetEntry(
    build=berkeley_real,
    tasks=("reflection",),
    source="Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376",
    home="https://github.com/ceciliavision/perceptual-reflection-removal",
)
