"""Conditions under which a clean photo is taken for one through glass: the laws that each follows."""

import pytest
import torch

from limpid import catalogue
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.blur import disk_blur, disk_kernel
from limpid.physics.seeds import generator


def photo(seed=0, height=64, width=80):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("radius", [0.8, 1.0, 3.3, 12.0])
def test_a_disk_has_the_area_of_a_disk(radius):
    kernel = disk_kernel(radius)
    assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)
    assert float(1 / kernel.max()) == pytest.approx(torch.pi * radius**2, rel=0.25)
    assert torch.equal(kernel, kernel.T)
    assert torch.equal(kernel, kernel.flip(0))


def test_a_point_becomes_a_disk_and_light_is_kept():
    point = torch.zeros(1, 41, 41)
    point[0, 20, 20] = 5
    blurred = disk_blur(point, 6.0)
    assert float(blurred.sum()) == pytest.approx(5, rel=1e-4)
    assert float(blurred[0, 20, 25]) == pytest.approx(float(blurred[0, 20, 20]))
    assert float(blurred[0, 20, 28]) < 1e-9


def test_what_is_in_focus_stays_sharp_and_an_even_photo_stays_even():
    lens = catalogue.find("degradations", "depth_of_field").build(radius=(4.0, 4.0), boost=(1.0, 1.0), lamps=0, foci=("subject",))
    drawn = {
        **lens.draw(generator(1), (64, 80)),
        "focus": {"kind": "subject", "centre": [0.5, 0.5], "axes": [0.3, 0.3], "angle": 0},
    }
    seen = lens.apply(photo(), drawn).image
    torch.testing.assert_close(seen[:, 30:34, 38:42], photo()[:, 30:34, 38:42], atol=2e-3, rtol=0)
    assert seen[:, :8, :8].std() < 0.3 * photo()[:, :8, :8].std()
    even = torch.full((3, 64, 80), 0.4)
    torch.testing.assert_close(lens.apply(even, drawn).image, even, atol=1e-3, rtol=0)


def test_fog_follows_koschmieder():
    fog = catalogue.find("degradations", "fog").build()
    drawn = {"density": 1.5, "air": [0.8, 0.8, 0.8], "patches": None, "angle": 0.0, "nearest": 1.0}  # everything is far away
    clear = torch.exp(torch.tensor(-1.5))
    expected = to_encoded(clear * to_linear(photo()) + (1 - clear) * to_linear(torch.tensor(0.8)))
    torch.testing.assert_close(fog.apply(photo(), drawn).image, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["high_key", "back_light", "fog"])
def test_veils_brighten(name):
    veil = catalogue.find("degradations", name).build()
    dark = 0.5 * photo()
    for seed in range(8):
        seen = veil.apply(dark, veil.draw(generator(seed), (64, 80))).image
        assert seen.mean() >= dark.mean() - 0.02
