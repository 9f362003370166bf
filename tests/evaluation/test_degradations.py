"""How ``--degrade`` degrades photos."""

import numpy as np
import pytest
from scipy.signal import convolve2d

from evaluation.pair_sets import photo
from limpid.errors import DataError, UnknownNameError, UsageError
from limpid.evaluation.degradation_text import parse
from limpid.physics.degradations.motion_blur import MotionBlur, kernel_of
from limpid.physics.seeds import generator


def test_every_combination_becomes_a_condition():
    made = parse(["noise:sigma=5,25", "blur:kernels=small,big:sigma=0,10"], [16, 32])
    assert len(made) == 2 * 2 + 2 * 2 * 2
    assert dict(made[0].conditions) == {"noise": 5.0, "size": 16.0}
    assert dict(made[-1].conditions) == {"blur": "big", "noise": 10.0, "size": 32.0}


def test_noise_has_its_strength_and_is_not_clipped():
    (degradation,) = parse(["noise:sigma=25"], [])
    degraded, truth = degradation.apply(photo(0, (200, 200)), "a")
    assert float((degraded - truth).std()) == pytest.approx(25 / 255, rel=0.01)
    assert float(degraded.max()) > 1
    assert float(degraded.min()) < 0


def test_noise_depends_on_the_seed_and_the_item_alone():
    (first,), (again,), (other,) = parse(["noise:sigma=9"], []), parse(["noise:sigma=9"], []), parse(["noise:sigma=9"], [], seed=1)
    clean = photo(0)
    field = first.apply(clean, "a")[0]
    assert field.equal(again.apply(clean, "a")[0])
    assert not field.equal(first.apply(clean, "b")[0])
    assert not field.equal(other.apply(clean, "a")[0])


def test_a_kernel_is_the_same_for_all_photos_and_a_true_convolution():
    (degradation,) = parse(["blur:kernels=mild.3"], [])
    clean = photo(1, (90, 80))
    degraded, truth = degradation.apply(clean, "any")
    other, _ = degradation.apply(clean, "another")
    assert degraded.equal(other)
    draw = generator(0, "evaluate", "kernel", "mild", 3)
    kernel = kernel_of(MotionBlur(classes=("mild",)).draw(draw, (0, 0)))
    expected = [convolve2d(channel, kernel, mode="valid") for channel in clean.transpose(2, 0, 1) / 255]
    assert np.abs(degraded.numpy() - np.stack(expected)).max() < 1e-5
    assert degraded.shape == truth.shape


def test_kernels_of_a_file_are_taken_by_their_place(tmp_path):
    kernels = [np.ones((1, 1)), np.ones((3, 3)) / 9]
    np.savez(tmp_path / "kernels.npz", *kernels)
    sharp, soft = parse([f"blur:kernels=0,1:file={tmp_path / 'kernels.npz'}"], [])
    clean = photo(2)
    assert sharp.apply(clean, "a")[0].equal(sharp.apply(clean, "a")[1])
    inner = clean.astype(float)[0:3, 0:3].mean(axis=(0, 1)) / 255
    assert soft.apply(clean, "a")[0][:, 0, 0].numpy() == pytest.approx(inner, abs=1e-5)


def test_kernels_stand_in_the_cache_by_what_they_hold(tmp_path):
    places = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for path in places:
        np.savez(path, np.ones((3, 3)))
    (one,), (two,) = (parse([f"blur:kernels=0:file={path}"], []) for path in places)
    assert one.says == two.says
    before = one.apply(photo(2), "a")[0]
    np.savez(places[0], np.eye(3) + 0.5 * np.eye(3)[::-1])
    (again,) = parse([f"blur:kernels=0:file={places[0]}"], [])
    assert again.says != one.says
    assert not again.apply(photo(2), "a")[0].equal(before)


@pytest.mark.parametrize(("place", "says"), [("0", "does not exist"), ("2", "no kernel 2; .* holds 1")])
def test_kernels_that_are_not_there_stop_before_anything_is_computed(tmp_path, place, says):
    if place != "0":
        np.savez(tmp_path / "k.npz", np.ones((3, 3)))
    with pytest.raises(UsageError, match=says):
        parse([f"blur:kernels={place}:file={tmp_path / 'k.npz'}"], [])


def test_crops_are_taken_from_the_middle():
    (degradation,) = parse(["noise:sigma=0"], [20])
    clean = photo(3, (48, 40))
    assert np.array_equal(
        (degradation.apply(clean, "a")[1] * 255).round().numpy().astype(np.uint8), clean[14:34, 10:30].transpose(2, 0, 1)
    )
    with pytest.raises(DataError, match="too small for a crop of 20"):
        degradation.apply(photo(3, (19, 60)), "a")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("noise", "names no sigma"),
        ("noise:sigma=x", "'x' is no strength"),
        ("noise:kernels=small", "not understood"),
        ("blur:sigma=3", "names no kernels"),
        ("noise:sigma=9..5", "ends below its beginning"),
        ("noise:sigma=5:clipped=maybe", "clipped is no, yes"),
        ("noise:sigma=5:draws=0", "draws is a whole number"),
        ("jpeg:quality=101", "quality is a whole number from 1 to 100"),
        ("gauss:width=0", "width of a Gaussian is"),
    ],
)
def test_what_cannot_be_read_is_one_line(text, says):
    with pytest.raises(UsageError, match=says):
        parse([text], [])


@pytest.mark.parametrize(("text", "nearest"), [("nose:sigma=3", "noise"), ("blur:kernels=smal", "small")])
def test_a_misspelt_name_gets_the_nearest(text, nearest):
    with pytest.raises(UnknownNameError) as caught:
        parse([text], [])
    assert caught.value.nearest == nearest


def test_kernels_of_a_file_that_have_no_place_are_one_line(tmp_path):
    np.savez(tmp_path / "k.npz", np.ones((3, 3)))
    with pytest.raises(UsageError, match="takes all, or the places of kernels"):
        parse([f"blur:kernels=small:file={tmp_path / 'k.npz'}"], [])


def test_clipped_is_what_eight_bits_keep_beside_the_unclipped():
    free, clipped = parse(["noise:sigma=50:clipped=both"], [])
    assert dict(clipped.conditions) == {"noise": 50.0, "clipped": "8-bit"}
    raw, held = (made.apply(photo(0), "a")[0] for made in (free, clipped))
    assert float(raw.max()) > 1
    assert held.equal((raw.clamp(0, 1) * 255).round() / 255)


def test_several_draws_take_kernels_and_noise_of_their_own():
    draws = parse(["blur:kernels=mild:sigma=5:draws=3"], [])
    assert [made.blur for made in draws] == ["mild.0", "mild.1", "mild.2"]
    assert {tuple(made.conditions.items()) for made in draws} == {(("blur", "mild"), ("noise", 5.0))}
    names = [made.named("a") for made in draws]
    assert names == ["a@0", "a@1", "a@2"]
    noisy = [made.apply(photo(0), made.named("a")) for made in parse(["noise:sigma=20:draws=2"], [])]
    assert not noisy[0][0].equal(noisy[1][0])


def test_all_kernels_of_a_measured_set_are_its_draws(tmp_path):
    np.savez(tmp_path / "levin.npz", np.ones((1, 1)), np.ones((3, 3)))
    found = parse([f"blur:kernels=all:file={tmp_path / 'levin.npz'}"], [])
    assert [(made.blur, made.draw, dict(made.conditions)) for made in found] == [
        ("0", 0, {"blur": "levin"}),
        ("1", 1, {"blur": "levin"}),
    ]


def test_a_range_draws_a_strength_for_each_photo():
    (degradation,) = parse(["noise:sigma=5..50"], [])
    assert dict(degradation.conditions) == {"noise": "5to50"}
    made = [degradation.apply(photo(0, (120, 120)), str(item)) for item in range(12)]
    strengths = [float((degraded - truth).std()) * 255 for degraded, truth in made]
    assert 4.5 < min(strengths) < 20 < max(strengths) < 51


def test_gaussian_blur_and_jpeg_are_theirs():
    soft, harder = parse(["gauss:width=1,3"], [])
    clean = photo(0, (60, 60))
    errors = [float((made.apply(clean, "a")[0] - made.apply(clean, "a")[1]).square().mean()) for made in (soft, harder)]
    assert 0 < errors[0] < errors[1]
    (low,) = parse(["jpeg:quality=5"], [])
    pixels = low.apply(clean, "a")[0] * 255
    assert pixels.equal(pixels.round())
    assert dict(low.conditions) == {"jpeg": 5.0}


def test_crops_may_be_oblong():
    (degradation,) = parse(["noise:sigma=0"], [(16, 24)])
    assert degradation.apply(photo(0, (48, 40)), "a")[0].shape == (3, 24, 16)
    assert [dict(made.conditions)["size"] for made in parse(["noise:sigma=0"], [16, (16, 24)])] == [16.0, "16x24"]
