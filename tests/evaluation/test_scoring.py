"""Measures on one pair, size rules, and the protocols' rows."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from evaluation.pair_sets import photo
from limpid.errors import DataError, ShapeError, UnknownNameError, UsageError
from limpid.evaluation.items import resized
from limpid.evaluation.protocols import PROTOCOLS, SIZE_RULES, USUAL, measures
from limpid.evaluation.scoring import measure
from limpid.image.photo import Photo
from limpid.layers.task import TASKS


def tensor(pixels, white=255):
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / white)


def measured(protocol, further=(), weights="pretrained", *, task="reflection", known=("transmission",)):
    return measures(PROTOCOLS[protocol], further, weights, task=TASKS[task], known=known)


def built(protocol, *further):
    return measured(protocol, further)[0]


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
    task = next(task for task, usual in USUAL.items() if usual == name or name not in USUAL.values())
    made, notes = measured(name, task=task, known=(*TASKS[task].layers, "judgements"))
    assert made[0].name.startswith("si_mse" if task == "intrinsic" else "psnr")
    optional = [column.metric for column in PROTOCOLS[name].columns if column.optional]
    assert [note.partition(" ")[0] for note in notes] == optional  # offline, without weights: left out, aloud
    assert not any("random" in metric.name for metric in made)


def test_a_random_lpips_is_had_by_name_alone():
    assert [metric.name for metric in measured("wang", ["lpips_squeeze_random"], "none")[0]][2] == "lpips_squeeze_random"


def test_settings_of_a_measure_are_part_of_what_is_remembered():
    floored, plain = (next(m for m in built(name) if m.name == "ssim_gauss") for name in ("openrr", "wang"))
    assert floored.identity != plain.identity


def test_measures_of_what_the_sets_do_not_hold_are_refused_when_asked_for_and_left_out_of_a_protocol():
    with pytest.raises(UsageError, match="whdr compares with judgements, but these sets hold transmission"):
        built("field", "whdr")
    made, _ = measured("intrinsic", task="intrinsic", known=("albedo",))
    assert [metric.name for metric in made] == ["si_mse", "lmse", "dssim"]
    with pytest.raises(UsageError, match="measures nothing on these sets, which hold judgements"):
        measured("field", task="intrinsic", known=("judgements",))


def test_a_measure_may_be_asked_of_another_layer():
    made, _ = measured("field", ["psnr@R", "psnr@transmission"], known=("transmission", "reflection"))
    assert [(metric.name, metric.title, metric.against) for metric in made[-1:]] == [
        ("psnr_reflection", "PSNR reflection", "reflection")
    ]
    assert [metric.name for metric in made].count("psnr") == 1
    with pytest.raises(UnknownNameError, match="did you mean 'reflection'"):
        built("field", "psnr@reflexion")


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
