"""The published collections of dead leaves charts, as rows: how many, how large, which law, which seeds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from limpid.physics.leaves.settings import Chart, Colours, Law


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One collection. ``side``: pixels of its square charts; ``count``: how many; chart i comes from ``generator(i)``."""

    side: int
    count: int
    chart: Chart
    seed: int = 42

    def generator(self, index: int) -> np.random.Generator:
        """The published stream of chart ``index``: NumPy's default generator seeded with ``seed`` + ``index``."""
        return np.random.default_rng(np.random.SeedSequence(self.seed + index))


def _published(law: Law, colours: Colours) -> Chart:
    return Chart(
        law=law,
        radius=(5.0, 2000.0),
        colours=colours,
        background=(0.2, 0.4, 0.6),
        supersample=5,
        reduction="published",
    )


PRESETS: Mapping[str, Preset] = {
    "randomrgb_1024": Preset(side=1024, count=1000, chart=_published("published", "uniform")),
    "div2k_1024": Preset(side=1024, count=1000, chart=_published("published", "natural")),
    "div2k_512": Preset(side=512, count=4000, chart=_published("published", "natural")),
    "primitives_div2k_512": Preset(side=512, count=4000, chart=_published("published_primitives", "natural")),
}
"""Name → collection; natural colours come from the DIV2K training photos. Exact charts of the same look: the same rows with law
``stationary`` and reduction ``area``. Source: balthazarneveu/blind-deblurring-from-synthetic-data, ``save_deadleaves``."""
