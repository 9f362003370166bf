import json

import numpy as np
import pytest
from PIL import Image

from limpid.data.augment import Augment
from limpid.errors import SettingError
from limpid.physics.seeds import generator


def photo(seed, height, width):
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))


def draws(augment, size, count=400):
    return [augment.draw(generator(1, index), size) for index in range(count)]


def test_cropping_while_resizing_equals_resizing_then_cropping():
    source = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    resized = np.asarray(Image.fromarray(source).resize((150, 112), Image.Resampling.BICUBIC)).astype(int)
    across, along = 120 / 150, 90 / 112
    box = [31 * across, 17 * along, (31 + 64) * across, (17 + 64) * along]
    got = Augment().apply(source, {"box": box, "size": [64, 64], "flip": False, "turns": 0})
    expected = resized[17 : 17 + 64, 31 : 31 + 64].transpose(2, 0, 1)
    assert abs(got.numpy() * 255 - expected).max() <= 2.01  # of 255: the box has single precision


def test_without_resizing_a_crop_holds_the_very_pixels():
    source = photo(4, 40, 60)
    for parameters in draws(Augment(crop=24, flip=0), (40, 60), 50):
        left, top, right, bottom = map(int, parameters["box"])
        expected = source[top:bottom, left:right].transpose(2, 0, 1)
        np.testing.assert_array_equal(Augment().apply(source, parameters).mul(255).round().numpy(), expected)


def test_short_side_is_even_within_its_range_and_reaches_both_ends():
    drawn = draws(Augment(short_side=(224, 232)), (375, 500))
    assert {parameters["size"][0] for parameters in drawn} == {224, 226, 228, 230, 232}
    assert {(tall, wide) for tall, wide in (parameters["size"] for parameters in drawn)} == {
        (tall, 2 * -(-500 * tall // 750)) for tall in (224, 226, 228, 230, 232)
    }
    assert {parameters["size"][1] for parameters in draws(Augment(short_side=(224, 224)), (500, 375))} == {224}


def test_width_is_drawn_in_its_steps():
    drawn = draws(Augment(width=(256, 640), step=16), (300, 400), 2000)
    assert {parameters["size"][1] for parameters in drawn} == set(range(256, 641, 16))
    assert all(abs(tall - wide * 0.75) <= 2 for tall, wide in (parameters["size"] for parameters in drawn))


def test_the_other_side_goes_with_the_width_to_the_nearest_pixel():
    for width in range(256, 641, 16):
        (parameters,) = draws(Augment(width=(width, width), step=16), (375, 500), 1)
        assert parameters["size"] == [round(375 * width / 500), width]


def test_a_window_is_a_square_between_its_least_side_and_the_short_side():
    augment = Augment(window=20, stretch=16)
    boxes = [parameters["box"] for parameters in draws(augment, (24, 60), 2000)]
    assert {(right - left, bottom - top) for left, top, right, bottom in boxes} == {(side, side) for side in range(20, 25)}
    assert min(left for left, *_ in boxes) == min(top for _, top, *_ in boxes) == 0
    assert max(right for *_, right, _ in boxes) == 60
    assert max(bottom for *_, bottom in boxes) == 24
    (small,) = draws(augment, (9, 30), 1)  # a photo smaller than the window gives all its short side
    assert small["box"][3] - small["box"][1] == 9
    assert augment.apply(photo(1, 9, 30), small).shape == (3, 16, 16)


def test_a_window_that_halves_is_the_mean_of_four_pixels():
    source = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    (parameters,) = draws(Augment(window=32, stretch=16, flip=0), (32, 32), 1)
    expected = source.reshape(16, 2, 16, 2, 3).mean((1, 3)).transpose(2, 0, 1)
    assert abs(Augment().apply(source, parameters).numpy() * 255 - expected).max() <= 0.51


def test_a_window_is_cropped_after_resizing():
    augment = Augment(window=30, short_side=(20, 20), crop=12, flip=0)
    source = photo(6, 40, 40)
    for parameters in draws(augment, (40, 40), 20):
        left, top, right, bottom = parameters["box"]
        assert right - left == pytest.approx(bottom - top)
        assert 30 * 12 / 20 <= right - left <= 40 * 12 / 20
        assert augment.apply(source, parameters).shape == (3, 12, 12)


def test_of_a_large_photo_only_the_crop_is_looked_at():
    source = np.random.default_rng(3).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    for parameters in [
        *draws(Augment(short_side=(100, 500), crop=60, flip=0), (300, 400), 20),
        *draws(Augment(stretch=50, flip=0), (300, 400), 1),
    ]:
        whole = Image.fromarray(source).resize(parameters["size"][::-1], Image.Resampling.BICUBIC, box=parameters["box"])
        got = Augment().apply(source, parameters).mul(255).round().permute(1, 2, 0).numpy()
        difference = abs(got - np.asarray(whole))
        assert difference.max() <= 2  # of 255: the box has single precision
        assert difference.mean() < 0.01


def test_crops_stay_inside_and_reach_every_place():
    drawn = draws(Augment(crop=8), (10, 9), 300)
    assert {tuple(parameters["box"][:2]) for parameters in drawn} == {(x, y) for x in range(2) for y in range(3)}


def test_chances_of_flips_and_turns_are_the_published_ones():
    drawn = draws(Augment(crop=8, turn=0.5), (16, 16), 4000)
    assert abs(np.mean([parameters["flip"] for parameters in drawn]) - 0.5) < 0.03
    turns = np.bincount([parameters["turns"] for parameters in drawn], minlength=4) / len(drawn)
    np.testing.assert_allclose(turns, [1 / 2, 1 / 6, 1 / 6, 1 / 6], atol=0.03)


def test_flips_and_turns_do_what_numpy_does():
    source = photo(5, 12, 20)
    parameters = {"box": [0.0, 0.0, 20.0, 12.0], "size": [12, 20], "flip": True, "turns": 1}
    expected = np.rot90(source[:, ::-1]).transpose(2, 0, 1)
    np.testing.assert_array_equal(Augment().apply(source, parameters).mul(255).round().numpy(), expected)


def test_a_photo_is_upended_before_it_is_turned():
    source = photo(5, 12, 20)
    parameters = {"box": [0.0, 0.0, 20.0, 12.0], "size": [12, 20], "flip": False, "turns": 1, "upend": True}
    expected = np.rot90(source[::-1]).transpose(2, 0, 1)
    np.testing.assert_array_equal(Augment().apply(source, parameters).mul(255).round().numpy(), expected)
    share = np.mean([parameters["upend"] for parameters in draws(Augment(crop=8, upend=0.5), (16, 16), 2000)])
    assert share == pytest.approx(0.5, abs=0.04)


def test_a_square_of_the_photo_is_stretched():
    augment = Augment(square=0.7, stretch=32, flip=0)
    for parameters in draws(augment, (30, 50), 50):
        left, top, right, bottom = parameters["box"]
        assert (right - left, bottom - top) == (21, 21)
        assert 0 <= left <= 29
        assert 0 <= top <= 9
    assert augment.apply(photo(1, 30, 50), parameters).shape == (3, 32, 32)


def test_a_photo_smaller_than_the_crop_is_enlarged():
    augment = Augment(crop=32)
    layer = augment.apply(photo(1, 7, 50), augment.draw(generator(0), (7, 50)))
    assert layer.shape == (3, 32, 32)
    assert 0 <= layer.min() <= layer.max() <= 1


def test_a_stored_draw_replays_to_the_same_bytes():
    augment, source = Augment(short_side=(20, 40), crop=16, turn=0.5), photo(2, 30, 44)
    for parameters in draws(augment, (30, 44), 20):
        replayed = json.loads(json.dumps(parameters))
        assert augment.apply(source, parameters).numpy().tobytes() == augment.apply(source, replayed).numpy().tobytes()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"short_side": (448, 224)}, "short_side must rise"),
        ({"width": (17, 31), "step": 32}, "hold a multiple of 32"),
        ({"short_side": (1, 2), "width": (1, 2), "step": 1}, "not both"),
        ({"crop": 8, "stretch": 8}, "not both"),
        ({"square": 1.5}, "within 0…1"),
        ({"window": 8}, "needs a crop or a stretch"),
        ({"window": 0, "crop": 8}, "at least 1 pixel"),
        ({"window": 8, "crop": 8, "square": 0.7}, "no square beside it"),
    ],
)
def test_contradicting_settings_are_refused(settings, says):
    with pytest.raises(SettingError, match=says):
        Augment(**settings)
