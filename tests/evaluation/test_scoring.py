"""Measures on one pair, size rules, and the protocols' rows."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from evaluation.pair_sets import photo
from limpid.errors import DataError, ShapeError, UsageError
from limpid.evaluation.items import resized
from limpid.evaluation.protocols import PROTOCOLS, SIZE_RULES, measures
from limpid.evaluation.scoring import measure
from limpid.image.photo import Photo


def tensor(pixels, white=255):
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / white)


def built(protocol, *further):
    return measures(PROTOCOLS[protocol], further, "pretrained")[0]


def test_the_field_protocol_agrees_with_scikit_image_on_odd_sizes():
    estimate, truth = (tensor(photo(seed, (37, 53))) for seed in (1, 2))
    values, capped = measure(estimate, truth, built("field"))
    expected = structural_similarity(estimate.double().numpy(), truth.double().numpy(), channel_axis=0, data_range=1)
    assert values["ssim"] == pytest.approx(expected, abs=1e-6)
    assert list(values) == ["psnr", "ssim", "ncc", "lmse"]
    assert capped == {}


def test_exact_bands_are_counted():
    truth = tensor(photo(1))
    estimate = truth.clone()
    estimate[0] *= 0.9
    assert measure(estimate, truth, built("field"))[1] == {"psnr": 2}


def test_a_photo_too_small_for_a_measure_has_no_value_there_and_the_others_have():
    estimate, truth = (tensor(photo(seed, (40, 40))) for seed in (1, 2))
    values, _ = measure(estimate, truth, built("field", "ms_ssim"))
    assert math.isnan(values["ms_ssim"])
    assert math.isfinite(values["ssim"])


def test_sizes_are_never_made_equal():
    with pytest.raises(ShapeError, match="cannot be compared"):
        measure(torch.zeros(3, 40, 40), torch.zeros(3, 40, 41), built("field"))


def test_a_network_that_diverged_is_an_error_not_a_low_score():
    estimate = torch.full((3, 40, 40), math.nan)
    with pytest.raises(DataError, match="NaN"):
        measure(estimate, torch.zeros(3, 40, 40), built("field"))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_has_a_headline_and_says_what_it_does(name, monkeypatch, tmp_path):
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path))
    monkeypatch.setenv("LIMPID_OFFLINE", "1")
    made, notes = measures(PROTOCOLS[name], (), "pretrained")
    assert made[0].name.startswith("psnr")
    optional = [column.metric for column in PROTOCOLS[name].columns if column.optional]
    assert [note.partition(" ")[0] for note in notes] == optional  # offline, without weights: left out, aloud
    assert not any("random" in metric.name for metric in made)


def test_a_random_lpips_is_had_by_name_alone():
    assert [metric.name for metric in measures(PROTOCOLS["wang"], ["lpips_squeeze_random"], "none")[0]][2] == "lpips_squeeze_random"


def test_measures_against_judgements_are_refused():
    with pytest.raises(UsageError, match="whdr compares with judgements"):
        built("field", "whdr")


@pytest.mark.parametrize(("name", "filter"), [("floor32", "BICUBIC"), ("floor8", "BILINEAR"), ("floor4", "BILINEAR")])
def test_size_rules_are_pillows_filters_at_floor_multiples(name, filter):
    pixels = photo(3, (70, 51))
    made = resized(Photo(pixels=pixels), SIZE_RULES[name])
    multiple = SIZE_RULES[name].multiple
    width, height = 51 // multiple * multiple, 70 // multiple * multiple
    assert np.array_equal(made.pixels, np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling[filter])))


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_and_grey_keep_their_depth_in_a_size_rule(channels):
    pixels = (photo(4, (70, 51))[..., :channels].astype(np.uint16)) * 257
    made = resized(Photo(pixels=pixels), SIZE_RULES["floor32"]).pixels
    assert made.dtype == np.uint16
    assert made.shape == (64, 32, channels)
    eight = np.asarray(Image.fromarray(photo(4, (70, 51))).resize((32, 64), Image.Resampling.BICUBIC))[..., :channels]
    assert np.abs(made / 257 - eight).max() < 1.5  # that of 8 bits rounds twice


def test_a_photo_below_one_multiple_is_refused_by_name():
    with pytest.raises(DataError, match=r"tiny.png is 20×40, below the 32 px"):
        resized(Photo(pixels=photo(5, (40, 20)), name="tiny.png"), SIZE_RULES["floor32"])
