"""How ``--degrade`` degrades photos."""

import numpy as np
import pytest
from scipy.signal import convolve2d

from evaluation.pair_sets import photo
from limpid.errors import DataError, UnknownNameError, UsageError
from limpid.evaluation.degradations import parse
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
        ("blur:kernels=small:file=k.npz", "places of kernels"),
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
