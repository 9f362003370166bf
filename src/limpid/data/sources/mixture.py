"""Pairs blended on the fly from folders of photos."""

from collections.abc import Sequence
from typing import Annotated, Literal

from limpid.catalogue import Entry, Nested
from limpid.data.augment import Augment
from limpid.data.blends import Blends, Reject
from limpid.data.roots import Roots, photos_of
from limpid.data.several import check_same_names
from limpid.physics.degradation import Degradation
from limpid.physics.formation import Formation


def mixture(
    *,
    transmission: Roots,
    mixtures: Annotated[Sequence[tuple[Formation, float]], Nested(kind="mixtures", weighted=True)],
    seed: int,
    augment: Augment | None = None,
    reflection: Roots | None = None,
    partner: Literal["halves", "same", "random"] = "halves",
    clean: float = 0.0,
    reject: Reject | None = None,
    spoil: Annotated[Sequence[Degradation], Nested(kind="degradations")] = (),
    spoilt: float = 0.0,
    keep: bool = False,
) -> Blends:
    """Photos of ``transmission`` behind glass that mirrors those of ``reflection``; the other settings are those of ``Blends``.

    Without ``augment`` photos stay whole, and a reflection is stretched to the size of its transmission. ``keep``: hold what
    was decoded in memory, once per worker. Partners of the ``same`` place must have the same stem. Raises DataError.
    """
    behind = photos_of(transmission, keep=keep)
    mirrored = None if reflection is None else photos_of(reflection, keep=keep)
    if partner == "same" and mirrored is not None:
        check_same_names(behind, mirrored)
    return Blends(
        behind,
        mirrored,
        mixtures=mixtures,
        augment=augment or Augment(flip=0.0),
        seed=seed,
        partner=partner,
        clean=clean,
        reject=reject,
        spoil=spoil,
        spoilt=spoilt,
    )


ENTRY = Entry(build=mixture, tasks=("reflection",), source="Fan et al., ICCV 2017; Zhang et al., CVPR 2018; Li et al., CVPR 2020")
