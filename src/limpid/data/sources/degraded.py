"""Photos of a folder, spoilt while the network learns: natural ones, or charts that were saved."""

from collections.abc import Sequence
from typing import Annotated

from limpid.catalogue import Entry, Nested
from limpid.data.augment import Augment
from limpid.data.roots import Roots, photos_of
from limpid.data.spoilt import Spoilt
from limpid.physics.degradation import Degradation


def degraded(
    *,
    root: Roots,
    degradations: Annotated[Sequence[Degradation], Nested(kind="degradations")],
    augment: Augment | None = None,
    keep: bool = False,
) -> Spoilt:
    """Photos of one or several folders (also DIV2K as packed, ``DIV2K_train_HR/DIV2K_train_HR/``), augmented, then degraded.

    Without ``augment`` whole; ``keep`` holds what was decoded in memory, once per worker. Raises DataError.
    """
    return Spoilt(photos=photos_of(root, keep=keep), degradations=degradations, augment=augment)


ENTRY = Entry(build=degraded, tasks=("denoise", "deblur"), source="Zhang et al., TIP 2017, arXiv:1608.03981 (DnCNN)")
