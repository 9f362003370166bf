"""Losses of training without pairs: the listed values, their formulas, what they refuse."""

import math

import pytest
import torch
import torch.nn.functional as F

from limpid import catalogue
from limpid.errors import SettingError
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.layers.unpaired import Translation
from limpid.losses.albedo_smoothness import albedo_smoothness
from limpid.losses.forward_cycle import forward_cycle
from limpid.losses.independence import independence, repulsion
from limpid.losses.latent_consistency import latent_consistency
from limpid.losses.style_divergence import style_divergence
from procedure_samples import batch


@pytest.mark.parametrize(
    ("difference", "value"),
    [(0.0, 0.948), (0.1, 0.916), (0.3, 0.797), (0.5, 0.586), (0.568, 0.5), (0.8, 0.234), (1.0, 0.099), (1.5, 0.0085)],
)
def test_the_repulsion_has_the_listed_values(difference, value):
    assert float(repulsion(torch.tensor(difference))) == pytest.approx(value, abs=6e-4)
    maps = [torch.rand(2, 3, 4, 4), torch.rand(2, 5, 2, 2)]
    assert float(independence(maps, [one - difference for one in maps])) == pytest.approx(value, abs=6e-4)


def test_its_constants_are_those_of_the_code():
    assert 1.4 * math.exp(1.4) == pytest.approx(5.6773, abs=1e-4)


def test_codes_of_one_encoder_are_left_alone():
    maps = [torch.rand(1, 2, 3, 3, requires_grad=True)]
    made = Translation(layers=Separation({"a": torch.zeros(1, 3, 2, 2)}), fakes={}, features={"a": maps, "b": maps})
    assert float(catalogue.find("losses", "independence").build()(made, batch())) == 0


def test_consistency_is_the_mean_over_the_maps():
    one = [torch.zeros(1, 1, 2, 2), torch.zeros(1, 8, 1, 1)]
    assert float(latent_consistency(one, [one[0] + 1, one[1] - 3])) == pytest.approx(2)


def test_a_cycle_follows_the_law_and_leaves_saturated_pixels_out():
    layers = {"transmission": torch.full((1, 3, 2, 2), 0.5), "reflection": torch.full((1, 3, 2, 2), 0.3)}
    photo = torch.full((1, 3, 2, 2), 0.7)
    photo[..., 0] = 1.0
    assert float(forward_cycle(photo, layers, TASKS["reflection"])) == pytest.approx(0.1 / 2)
    assert float(forward_cycle(photo, layers, TASKS["reflection"], saturated=None)) == pytest.approx((0.1 + 0.2) / 2)


def test_the_logarithm_is_of_linear_light_and_of_products_alone():
    task = TASKS["intrinsic"]
    layers = {"albedo": torch.full((1, 3, 2, 2), 0.8), "shading": torch.full((1, 3, 2, 2), 0.6)}
    photo = task.compose(layers)
    assert float(forward_cycle(photo, layers, task, log=True)) == pytest.approx(0, abs=1e-5)
    black = {**layers, "albedo": torch.zeros(1, 3, 2, 2)}
    assert math.isfinite(float(forward_cycle(photo, black, task, log=True)))
    with pytest.raises(SettingError, match="not multiplied"):
        forward_cycle(photo, {"transmission": photo, "reflection": photo}, TASKS["reflection"], log=True)


def test_the_divergence_of_styles_has_a_softmax_for_its_target():
    own, sample = torch.randn(2, 8), torch.randn(2, 8)
    p, q = sample.softmax(1), own.softmax(1)
    expected = (p * (p.log() - q.log())).mean()
    assert float(style_divergence({"albedo": (own, sample)})) == pytest.approx(float(expected), rel=1e-5)
    assert float(style_divergence({"albedo": (own, own)})) == pytest.approx(0, abs=1e-7)


def test_smoothness_weighs_neighbours_by_colour_and_light():
    photo, albedo = torch.rand(1, 3, 40, 40), torch.rand(1, 3, 40, 40)
    assert float(albedo_smoothness(photo, torch.full_like(photo, 0.3))) == 0
    flat = albedo_smoothness(torch.full_like(photo, 0.5), albedo)  # every weight is 1
    scales = [albedo[..., :: 2**k, :: 2**k] for k in range(4)]
    expected = sum(weight * naive(scale) for weight, scale in zip((1, 0.5, 0.3333, 0.25), scales, strict=True))
    assert float(flat) == pytest.approx(float(expected), rel=1e-4)
    assert float(albedo_smoothness(photo, albedo)) < 0.2 * float(flat)


def naive(albedo):
    inside = albedo[..., 1:-1, 1:-1]
    height, width = inside.shape[-2:]
    shifted = (albedo[..., y : y + height, x : x + width] for y in range(3) for x in range(3))
    return sum((inside - one).abs().mean() for one in shifted) / 24


def test_terms_that_a_network_offers_nothing_for_say_so():
    bare = Translation(layers=Separation({"a": torch.zeros(1, 3, 2, 2)}), fakes={})
    for name in ("self_reconstruction", "latent_consistency", "independence", "backward_cycle", "style_divergence"):
        with pytest.raises(SettingError, match="leave"):
            catalogue.find("losses", name).build()(bare, batch())


def test_structure_stands_beside_the_difference():
    pair = (torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16))
    made = Translation(layers=Separation({"a": pair[0]}), fakes={}, compared={"self": [pair]})
    plain, both = (catalogue.find("losses", "self_reconstruction").build(structure=s)(made, batch()) for s in (0.0, 2.0))
    similarity = catalogue.find("losses", "ssim").build()(*pair)
    assert float(both) == pytest.approx(float(plain + 2 * similarity), rel=1e-5)
    assert float(plain) == pytest.approx(float(F.l1_loss(*pair)), rel=1e-5)
