"""Dead leaves charts without end, drawn and spoilt while the network learns."""

from collections.abc import Sequence
from typing import Annotated

from limpid.catalogue import Entry, Nested
from limpid.data.live_leaves import LeafPairs
from limpid.data.roots import Roots, photos_of
from limpid.data.several import Tensors
from limpid.physics.degradation import Degradation
from limpid.physics.leaves.settings import Chart


def leaves(
    *,
    degradations: Annotated[Sequence[Degradation], Nested(kind="degradations")],
    size: tuple[int, int] = (128, 128),
    chart: Chart | None = None,
    photos: Roots | None = None,
    length: int = 1000,
    keep: bool = False,
) -> LeafPairs:
    """Charts of ``size`` (height, width), in pixels, by the settings ``chart``, and their degraded versions.

    ``photos``: folder of photos that lend ``chart.colours: natural``; ``keep`` holds them in memory. ``length``: charts that
    count as an epoch. Raises DataError.
    """
    colours = () if photos is None else Tensors(photos_of(photos, keep=keep))
    return LeafPairs(settings=chart or Chart(), size=size, degradations=degradations, photos=colours, length=length)


ENTRY = Entry(build=leaves, tasks=("denoise", "deblur"), source="Achddou et al., SSVM 2021 (training on dead leaves)")
