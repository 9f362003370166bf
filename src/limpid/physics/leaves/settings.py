"""Everything that describes a kind of chart, as one frozen value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from limpid.errors import SettingError, UnknownNameError
from limpid.physics.leaves.shapes import SHAPES

Law = Literal["stationary", "published", "published_primitives"]
Colours = Literal["uniform", "saturated", "natural"]
Reduction = Literal["area", "published"]

FILLS = ("flat", "linear", "radial", "noise", "periodic")
"""Names of the fills; ``Paint.fill`` holds places in it."""

PUBLISHED_FACTOR = 5
"""Supersampling for which the published reduction gives whole sizes."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Settings of a dead leaves chart; every length is in canvas pixels, ``supersample`` of which make one pixel of the chart.

    ``law``: ``stationary`` (exact, no background), or the ``published`` one with disks or extra primitives. ``radius``: least
    and greatest of the circle around a leaf. ``alpha``: density ∝ r^(−alpha); 3 is scale-invariant. ``shapes``: name → weight;
    ``aspect``: range of second axis / first axis. ``colours``: ``uniform`` RGB, ``saturated`` (uniform in Lab, clipped),
    ``natural`` (pixels of one photo). ``fills``: name → weight, for leaves of radius at least ``fill_from``, the rest is flat.
    ``period``: range of periodic textures, logarithm-uniform. ``slope``: range of s in the 1/f^s amplitude of noise.
    ``contrast``: standard deviation of noise, as a share of the way between a leaf's two colours. ``count`` and ``background``
    concern the published laws alone (``None``: 30 × the longer side). ``defocus``: greatest blur of depth of field, sigma in
    chart pixels, 0 = all in focus; ``in_focus``, ``foreground``: leaves of those layers, in tenths of what leaves 0.2 %
    uncovered. ``reduction``: ``area`` averages ``supersample``² pixels; ``published`` is the narrow 5 × 5 kernel of the source
    (factor 5 only, two canvas pixels off in x).

    Raises SettingError and UnknownNameError. Sources: Gousseau & Roueff, 2007; Achddou et al., SSVM 2021; VibrantLeaves,
    arXiv:2504.10201 (fills, depth); balthazarneveu/blind-deblurring-from-synthetic-data (published laws).
    """

    law: Law = "stationary"
    radius: tuple[float, float] = (1.0, 2000.0)
    alpha: float = 3.0
    shapes: Mapping[str, float] = field(default_factory=lambda: {"disk": 1.0})
    aspect: tuple[float, float] = (0.3, 1.0)
    colours: Colours = "uniform"
    fills: Mapping[str, float] = field(default_factory=lambda: {"flat": 1.0})
    fill_from: float = 20.0
    period: tuple[float, float] = (5.0, 100.0)
    slope: tuple[float, float] = (0.5, 2.5)
    contrast: float = 0.3
    count: int | None = None
    background: tuple[float, float, float] = (0.5, 0.5, 0.5)
    defocus: float = 0.0
    in_focus: float = 1.0
    foreground: float = 0.5
    supersample: int = 1
    reduction: Reduction = "area"

    def __post_init__(self) -> None:
        self._check_names()
        for name, limits in {"radius": self.radius, "aspect": self.aspect, "period": self.period}.items():
            if not 0 < limits[0] <= limits[1]:
                raise SettingError(f"chart.{name} must rise from above 0; got {limits}")
        if self.aspect[1] > 1 or self.radius[1] < 1:
            raise SettingError(f"chart.aspect ends at 1 or below, chart.radius at 1 px or above; got {self.aspect}, {self.radius}")
        if self.law != "stationary" and (self.defocus > 0 or self.alpha == 1):
            raise SettingError("the published laws know neither depth of field nor alpha 1; use law 'stationary'")
        if self.supersample < 1 or min(self.defocus, self.in_focus, self.foreground, self.contrast) < 0:
            raise SettingError("chart.supersample starts at 1; defocus, in_focus, foreground and contrast at 0")
        if self.reduction == "published" and self.supersample != PUBLISHED_FACTOR:
            raise SettingError(f"the published reduction needs supersample {PUBLISHED_FACTOR}; got {self.supersample}")

    def _check_names(self) -> None:
        _known("law", [self.law], get_args(Law))
        _known("colours", [self.colours], get_args(Colours))
        _known("reduction", [self.reduction], get_args(Reduction))
        _known("shape", self.shapes, SHAPES)
        _known("fill", self.fills, FILLS)
        for name, weights in {"shapes": self.shapes, "fills": self.fills}.items():
            if min(weights.values(), default=0) < 0 or sum(weights.values()) <= 0:
                raise SettingError(f"chart.{name} needs weights of 0 or more, not all 0; got {dict(weights)}")


def _known(kind: str, names: Iterable[str], allowed: tuple[str, ...]) -> None:
    for name in names:
        if name not in allowed:
            raise UnknownNameError(kind, name, allowed)
