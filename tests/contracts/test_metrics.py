"""What holds for every metric of the catalogue, whoever wrote it."""

import doctest
import importlib
import math

import pytest
import torch

from limpid import catalogue
from limpid.blocks._torchvision import mend
from limpid.errors import DataError, ShapeError
from limpid.metrics.whdr import Judgement

NAMES = catalogue.names("metrics")
SIDE = 168  # five scales need 161
JUDGED = [Judgement(first=(0.1, 0.1), second=(0.9, 0.9), darker=darker, weight=1.0) for darker in ("1", "2", "E")]


def need_networks():
    if mend() == "absent":
        pytest.skip("torchvision is not installed")
    pytest.importorskip("torchmetrics")


def build(name):
    if name.startswith("lpips"):
        need_networks()
        return catalogue.find("metrics", name).build(backbone_weights="none")
    return catalogue.find("metrics", name).build()


def photo(seed):
    return torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def partner(metric, target):
    return JUDGED if metric.against == "judgements" else target


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_a_table_needs(name):
    metric = build(name)
    assert metric.name.removesuffix("_random") == name
    assert metric.title
    assert metric.direction in ("higher", "lower")
    assert metric.range[0] < metric.range[1]
    assert catalogue.find("metrics", name).source


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_floats_within_the_range_and_repeat(name):
    metric, estimate, target = build(name), photo(1), photo(2)
    kept = estimate.clone()
    value = metric(estimate, partner(metric, target))
    assert isinstance(value, float)
    assert metric.range[0] <= value <= metric.range[1]
    assert metric(estimate, partner(metric, target)) == value
    assert torch.equal(estimate, kept)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "whdr"])
def test_the_truth_itself_is_the_best_and_noise_is_worse(name):
    metric, target = build(name), photo(3)
    sign = 1 if metric.direction == "higher" else -1
    best = metric.range[1] if metric.direction == "higher" else metric.range[0]
    assert metric(target, target) == pytest.approx(best, abs=1e-9)
    scores = [sign * metric((target + share * (photo(4) - target)), target) for share in (0.0, 0.1, 0.6)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[1] > scores[2]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "whdr"])
def test_other_sizes_are_an_error_and_never_resized(name):
    metric = build(name)
    with pytest.raises(ShapeError, match=r"\(3, 168, 168\) and \(3, 168, 167\)"):
        metric(photo(1), photo(2)[..., :-1])
    with pytest.raises(ShapeError):
        metric(photo(1)[None], photo(2)[None])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_estimate_that_is_not_finite_is_an_error(name, value):
    metric, estimate = build(name), photo(1)
    estimate[1, 5, 7] = value
    with pytest.raises(DataError, match=f"NaN or infinity at 1 of {3 * SIDE * SIDE}"):
        metric(estimate, partner(metric, photo(2)))


@pytest.mark.parametrize("name", NAMES)
def test_integers_are_refused_since_their_differences_wrap(name):
    metric = build(name)
    with pytest.raises(DataError, match="uint8, whose differences wrap"):
        metric((photo(1) * 255).to(torch.uint8), partner(metric, (photo(2) * 255).to(torch.uint8)))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "whdr"])
def test_a_truth_of_0_to_255_is_refused(name):
    with pytest.raises(DataError, match="expected 0…1"):
        build(name)(photo(1) * 255, photo(2) * 255)


@pytest.mark.parametrize("name", NAMES)
def test_its_example_holds(name):
    if name.startswith("lpips"):
        need_networks()
    results = doctest.testmod(importlib.import_module(catalogue.module_of("metrics", name)))
    assert results.attempted > 0
    assert results.failed == 0
