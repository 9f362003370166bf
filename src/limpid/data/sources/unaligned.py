"""Pairs whose two shots are shifted against each other: for losses that bear it, and never to score pixels on."""

from limpid.catalogue import SourceEntry
from limpid.data.augment import Augment
from limpid.data.concat import Sources
from limpid.data.pairing import Mismatch
from limpid.data.pairs import PairSource
from limpid.data.photo_folders import Roots, folders


def unaligned(
    *,
    root: Roots,
    augment: Augment | None = None,
    shift: int = 0,
    allow_missing: bool = False,
    on_mismatch: Mismatch = "refuse",
) -> Sources:
    """As ``pairs``, but marked as unaligned.

    ``shift``: so many pixels of the result at most does the second crop move on its own, each way; off by default, as in the
    published training (their transform has 10). Raises DataError.
    """
    return Sources(
        [
            PairSource(folder, augment, allow_missing=allow_missing, on_mismatch=on_mismatch, kind="unaligned", shift=shift)
            for folder in folders(root)
        ]
    )


ENTRY = SourceEntry(build=unaligned, tasks=("reflection",), source="Wei et al., CVPR 2019, arXiv:1904.00637 (ERRNet)")
