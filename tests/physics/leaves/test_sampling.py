"""The laws of radius and place, against closed forms, quadrature and the Kolmogorov-Smirnov test."""

import numpy as np
import pytest
from scipy import integrate, stats

from limpid.physics.leaves.occlusion import cover
from limpid.physics.leaves.sampling import coverage, draw, hit_weights, radii
from limpid.physics.leaves.settings import Chart
from limpid.physics.leaves.shapes import SHAPES
from limpid.physics.seeds import generator

PROBES = {"centre": (5, 8), "edge": (5, 0), "corner": (10, 15)}
WINDOW = (11, 16)


def power_law(exponent, low, high):
    """Cumulative law of density ∝ r^(−exponent), by another way than the code: integrate, then normalise."""

    def integral(upper):
        upper = np.asarray(upper, dtype=float)
        return np.log(upper / low) if exponent == 1 else (low ** (1 - exponent) - upper ** (1 - exponent)) / (exponent - 1)

    return lambda radius: integral(radius) / integral(high)


def visible_radii(settings, charts):
    """Radius of the leaf seen at each probe of many small charts: name → (charts,)."""
    seen = {name: np.empty(charts) for name in PROBES}
    for index in range(charts):
        leaves, labels = cover(settings, generator(11, index), WINDOW)
        for name, place in PROBES.items():
            seen[name][index] = leaves.radius[labels[place]] if labels[place] >= 0 else np.nan
    return seen


@pytest.mark.parametrize("alpha", [1.0, 2.0, 2.5, 3.0, 4.0])
def test_radii_follow_the_power_law(alpha):
    drawn = radii(generator(3).random(20_000), alpha, 1.0, 2000.0)
    assert drawn.min() >= 1
    assert drawn.max() <= 2000
    assert stats.kstest(drawn, power_law(alpha, 1.0, 2000.0)).pvalue > 0.01


def test_radii_of_alpha_3_are_the_published_formula():
    share = np.linspace(0, 0.999, 50)
    published = (2000.0**-2 + (1 - share) * (1.0 - 2000.0**-2)) ** -0.5
    assert radii(share, 3.0, 1.0, 2000.0) == pytest.approx(published, rel=1e-9)


@pytest.mark.parametrize("alpha", [1.5, 2.0, 2.5, 3.0, 4.0])
def test_hit_weights_and_coverage_are_the_integrals(alpha):
    settings, (height, width) = Chart(alpha=alpha, radius=(2.0, 300.0)), (40, 70)

    def quad(integrand):
        return integrate.quad(lambda r: r**-alpha * integrand(r), 2.0, 300.0, limit=300)[0]

    touching = quad(lambda r: (width + 2 * r) * (height + 2 * r))
    assert sum(hit_weights(settings, (height, width))) == pytest.approx(touching, rel=1e-6)
    assert coverage(settings, (height, width)) == pytest.approx(quad(lambda r: np.pi * r * r) / touching, rel=1e-6)


def test_drawn_leaves_follow_the_law_of_those_that_touch_the_window():
    settings, (height, width) = Chart(alpha=2.7, radius=(1.0, 200.0)), (30, 50)
    leaves = draw(settings, generator(5), (height, width), 30_000)
    grid = np.geomspace(1.0, 200.0, 4000)
    density = grid**-2.7 * (width + 2 * grid) * (height + 2 * grid)
    law = integrate.cumulative_trapezoid(density, grid, initial=0)
    assert stats.kstest(leaves.radius, lambda r: np.interp(r, grid, law / law[-1])).pvalue > 0.01
    across = (leaves.x + 0.5 + leaves.radius) / (width + 2 * leaves.radius)
    down = (leaves.y + 0.5 + leaves.radius) / (height + 2 * leaves.radius)
    assert stats.kstest(across, "uniform").pvalue > 0.01
    assert stats.kstest(down, "uniform").pvalue > 0.01


@pytest.mark.parametrize("alpha", [2.0, 2.5, 3.0, 4.0])
def test_visible_radius_is_the_same_at_centre_edge_and_corner(alpha):
    seen = visible_radii(Chart(alpha=alpha, radius=(1.0, 300.0)), 1200)
    for name, radius in seen.items():
        assert stats.kstest(radius, power_law(alpha - 2, 1.0, 300.0)).pvalue > 0.005, name


@pytest.mark.parametrize("shape", SHAPES)
def test_visible_radius_does_not_depend_on_the_shape(shape):
    seen = visible_radii(Chart(shapes={shape: 1.0}, radius=(2.0, 200.0)), 500)
    for name, radius in seen.items():
        assert stats.kstest(radius, power_law(1, 2.0, 200.0)).pvalue > 0.005, name


def test_the_published_law_fails_the_same_test():
    settings = Chart(law="published", radius=(1.0, 300.0), count=4000)
    radius = visible_radii(settings, 300)["centre"]
    assert stats.kstest(radius[~np.isnan(radius)], power_law(1, 1.0, 300.0)).pvalue < 1e-6
