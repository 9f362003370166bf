"""What a pane of glass does to light."""

import math

from limpid.errors import SettingError

GLASS_INDEX = 1.5
"""Refractive index of window glass."""


def fresnel_polarised(angle: float, index: float = GLASS_INDEX) -> tuple[float, float]:
    """Shares of s- and p-polarised light that one surface reflects (Fresnel's equations).

    ``angle``: incidence in radians, 0 to π/2. p vanishes at Brewster's angle, atan(index). Raises SettingError outside the range.
    """
    if not 0 <= angle <= math.pi / 2:
        raise SettingError(f"an angle of incidence lies within 0…π/2 rad; got {angle}")
    inside, outside = math.cos(math.asin(math.sin(angle) / index)), math.cos(angle)
    across = (outside - index * inside) / (outside + index * inside)
    along = (inside - index * outside) / (inside + index * outside)
    return across**2, along**2


def fresnel(angle: float, index: float = GLASS_INDEX) -> float:
    """Share of unpolarised light that one surface reflects: the mean of Fresnel's s and p reflectances.

    ``angle``: incidence in radians, 0 to π/2. 4 % at normal incidence on glass. Raises SettingError outside the range.
    """
    across, along = fresnel_polarised(angle, index)
    return (across + along) / 2


def pane_reflectances(angle: float, index: float = GLASS_INDEX) -> tuple[float, float]:
    """Shares of the light that come back from a pane's front, F, and from its back, (1 − F)²·F: together 8 % at 0 rad.

    ``angle``: incidence in radians, 0 to π/2. Glass is taken as clear; further bounces, below F³, are left out.
    """
    front = fresnel(angle, index)
    return front, (1 - front) ** 2 * front


def ghost_shift(thickness: float, angle: float, index: float = GLASS_INDEX) -> float:
    """Sideways distance between the reflections of a pane's two surfaces: 2·t·tan(θₜ)·cos(θ), in the unit of ``thickness``.

    ``angle``: incidence θ in radians; sin θₜ = sin θ / index.
    """
    inside = math.asin(math.sin(angle) / index)
    return 2 * thickness * math.tan(inside) * math.cos(angle)
