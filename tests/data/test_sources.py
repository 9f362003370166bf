import numpy as np
import pytest
import torch

from limpid import catalogue
from limpid.data.augment import Augment, moved
from limpid.data.decode import pixels
from limpid.data.pairs import PairSource
from limpid.data.photo_folders import folders
from limpid.data.sources.mixture import MixedPairs, Reject
from limpid.errors import DataError, SettingError
from limpid.physics.formation import GAMMA
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator

SUBTRACTIVE = [(catalogue.find("mixtures", "subtractive").build(), 1.0)]
NOISE = catalogue.find("degradations", "gaussian_noise").build(sigma=(25, 25))


def build(name, **settings):
    return catalogue.find("sources", name).build(**settings)


def eight_bits(layer):
    return layer.mul(255).round().byte().permute(1, 2, 0).numpy()


@pytest.fixture
def photos(tmp_path, save):
    for folder, count in (("one", 4), ("two", 3)):
        for number in range(count):
            save(tmp_path / folder / f"{number}.png", 10 * len(folder) + number + (folder == "two") * 100, 16, 20)
    return tmp_path


def test_the_catalogue_lists_the_sources():
    assert {"degraded", "leaves", "mixture", "pairs", "unaligned"} <= set(catalogue.names("sources"))


def test_roots_are_a_text_with_commas_or_a_list(photos, monkeypatch):
    expected = [photos / "one", photos / "two"]
    assert folders(f"{photos / 'one'}, {photos / 'two'}") == expected
    assert folders([str(photos / "one"), photos / "two"]) == expected
    assert folders(photos / "one") == expected[:1]
    monkeypatch.setenv("HOME", str(photos))
    assert folders("~/one,~/two") == expected
    (photos / "with, comma").mkdir()
    assert folders(photos / "with, comma") == [photos / "with, comma"]


@pytest.mark.parametrize("roots", ["", [], " , "])
def test_no_root_is_refused(roots):
    with pytest.raises(DataError, match="no folder of photos is named"):
        folders(roots)


def test_a_missing_root_is_named(photos):
    for name, settings in (
        ("mixture", {"transmission": f"{photos / 'one'},{photos / 'gone'}", "mixtures": SUBTRACTIVE, "seed": 1}),
        ("pairs", {"root": photos / "gone"}),
        ("unaligned", {"root": photos / "gone"}),
        ("degraded", {"root": photos / "gone", "degradations": []}),
        ("leaves", {"photos": photos / "gone", "degradations": []}),
    ):
        with pytest.raises(DataError, match=r"/gone is no folder"):
            build(name, **settings)


def test_photos_of_several_roots_come_in_a_row(photos):
    source = build("degraded", root=[photos / "two", photos / "one"], degradations=[])
    expected = [photos / "two" / f"{number}.png" for number in range(3)] + [photos / "one" / f"{number}.png" for number in range(4)]
    assert source.files() == expected
    for place, path in enumerate(expected):
        pair = source.pair(place, 0, generator(1))
        assert np.array_equal(eight_bits(pair.layers["restored"]), pixels(path))
        assert torch.equal(pair.input, pair.layers["restored"])
        assert pair.kind == "synthetic"


def test_div2k_as_packed_is_found(photos, save):
    for place in ("DIV2K_train_HR/DIV2K_train_HR", "DIV2K_valid_HR/DIV2K_valid_HR"):
        save(photos / "div2k" / place / "0001.png", 3)
    inner = photos / "div2k" / "DIV2K_train_HR" / "DIV2K_train_HR"
    source = build("degraded", root=photos / "div2k" / "DIV2K_train_HR", degradations=[])
    assert source.files() == [inner / "0001.png"]
    with pytest.raises(DataError, match=r"div2k holds no photo"):  # training or validation: nobody may guess
        build("degraded", root=photos / "div2k", degradations=[])


def test_degraded_photos_are_augmented_first(photos):
    source = build("degraded", root=photos / "one", degradations=[NOISE], augment=Augment(crop=8))
    pair = source.pair(2, 0, generator(4))
    draw = generator(4)
    sharp = Augment(crop=8).apply(pixels(photos / "one" / "2.png"), Augment(crop=8).draw(draw, (16, 20)))
    assert torch.equal(pair.layers["restored"], sharp)
    assert torch.equal(pair.input, NOISE.apply(sharp, NOISE.draw(draw, (8, 8))).image)


def test_leaves_take_natural_colours_from_photos(photos):
    source = build("leaves", degradations=[NOISE], size=(16, 24), chart=Chart(colours="natural"), photos=photos / "one", length=7)
    assert len(source) == 7
    assert len(source.files()) == 4
    pair = source.pair(0, 0, generator(2))
    assert pair.input.shape == pair.layers["restored"].shape == (3, 16, 24)
    colours = {tuple(colour) for path in source.files() for colour in pixels(path).reshape(-1, 3).tolist()}
    assert {tuple(colour) for colour in eight_bits(pair.layers["restored"]).reshape(-1, 3).tolist()} <= colours


def test_a_mixture_of_whole_photos_is_what_its_law_says(photos):
    source = build("mixture", transmission=photos / "one", mixtures=SUBTRACTIVE, seed=1)
    pair = source.pair(1, 0, generator(6))
    assert np.array_equal(eight_bits(pair.layers["transmission"]), pixels(photos / "one" / "1.png"))
    assert (pair.kind, pair.gain, pair.name) == ("synthetic", 1.0, "1+3 subtractive")
    assert len(source.files()) == 4


def test_what_a_law_multiplies_the_transmission_by_is_passed_on(photos):
    zhang = catalogue.find("mixtures", "zhang").build(transmission_loss=(0.15, 0.15), returned="difference")
    source = build("mixture", transmission=photos / "one", mixtures=[(zhang, 1.0)], seed=1, augment=Augment(stretch=12, flip=0))
    pair = source.pair(0, 0, generator(1))
    assert pair.gain == pytest.approx(0.85)
    whole = pair.gain * pair.layers["transmission"] ** GAMMA + pair.layers["reflection"] ** GAMMA
    clear = (pair.input < 0.999) & (pair.layers["reflection"] > 0)
    torch.testing.assert_close((pair.input**GAMMA)[clear], whole[clear], atol=1e-5, rtol=1e-4)


def test_partners_of_the_same_place_must_have_the_same_names(photos, save):
    settings = {"transmission": photos / "one", "mixtures": SUBTRACTIVE, "partner": "same", "seed": 1}
    with pytest.raises(DataError, match=r"/one and .*/two do not hold the same names.* without a partner are 1: 3"):
        build("mixture", reflection=photos / "two", **settings)
    save(photos / "two" / "3.jpg", 9, 16, 20)
    source = build("mixture", reflection=photos / "two", reject=Reject(dim=0, layer=0, input=0), **settings)
    assert source.pair(3, 5, generator(1)).name == "3+3 subtractive"


def test_windows_of_the_two_photos_are_drawn_apart(photos):
    settings = {"transmission": photos / "one", "reflection": photos / "one", "partner": "same", "mixtures": SUBTRACTIVE}
    still = [(catalogue.find("mixtures", "screen").build(returned="blurred", kernels=(1,), kernel_weights=(1.0,)), 1.0)]
    for augment, alike in ((Augment(short_side=(12, 16), crop=10), True), (Augment(window=8, stretch=10), False)):
        source = build("mixture", **{**settings, "mixtures": still}, augment=augment, seed=1)
        pairs = [source.pair(place, 0, generator(place)) for place in range(4)]
        assert [torch.allclose(pair.layers["transmission"], pair.layers["reflection"], atol=1e-6) for pair in pairs] == [alike] * 4


def test_mixtures_need_weights():
    with pytest.raises(SettingError, match="at least one of `mixtures`"):
        MixedPairs([], mixtures=[], augment=Augment(), seed=1)


def test_pairs_of_several_roots_without_augmentation_are_the_files(tmp_path, paired):
    paired(tmp_path / "one", ["a", "b"])
    paired(tmp_path / "two", ["c"], reflection=True)
    source = build("pairs", root=f"{tmp_path / 'one'},{tmp_path / 'two'}")
    assert len(source) == 3
    assert [source.pair(place, 0, generator(1)).name for place in range(3)] == ["a", "b", "c"]
    assert len(source.files()) == 2 * 2 + 3
    pair = source.pair(2, 0, generator(1))
    for layer, folder in (
        (pair.input, "blended"),
        (pair.layers["transmission"], "transmission_layer"),
        (pair.layers["reflection"], "reflection_layer"),
    ):
        assert np.array_equal(eight_bits(layer), pixels(tmp_path / "two" / folder / "c.png"))
    assert "reflection" not in source.pair(0, 0, generator(1)).layers
    assert pair.kind == "aligned"


def test_a_reflection_may_be_the_difference(tmp_path, paired):
    root = paired(tmp_path, ["a"], reflection=True)
    pair, clipped = (
        build("pairs", root=root, reflection=kind, augment=Augment(crop=8)).pair(0, 0, generator(1))
        for kind in ("difference", "clipped")
    )
    assert torch.equal(pair.layers["reflection"], pair.input - pair.layers["transmission"])
    assert pair.layers["reflection"].min() < 0
    assert torch.equal(clipped.layers["reflection"], pair.layers["reflection"].clamp(0, 1))


def test_unaligned_pairs_say_so_and_may_shift_the_second_crop(tmp_path, save):
    for layer in ("blended", "transmission_layer"):
        save(tmp_path / layer / "a.png", 7, 60, 60)
    augment = Augment(crop=20, flip=0.0)
    still = build("unaligned", root=tmp_path, augment=augment).pair(0, 0, generator(1))
    assert (still.kind, torch.equal(still.input, still.layers["transmission"])) == ("unaligned", True)
    whole, offsets = pixels(tmp_path / "blended" / "a.png"), set()
    source = build("unaligned", root=tmp_path, augment=augment, shift=2)
    for index in range(300):
        pair = source.pair(0, 0, generator(3, index))
        left, top = map(int, augment.draw(generator(3, index), (60, 60))["box"][:2])
        assert np.array_equal(eight_bits(pair.input), whole[top : top + 20, left : left + 20])
        found = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if 0 <= top + down <= 40 and 0 <= left + right <= 40
            if np.array_equal(eight_bits(pair.layers["transmission"]), whole[top + down :, left + right :][:20, :20])
        ]
        assert found
        offsets.update(found)
    assert len(offsets) == 25


def test_a_moved_crop_stays_within_the_photo():
    drawn = {
        "box": [0.0, 10.0, 20.0, 30.0],
        "size": [10, 10],
        "flip": False,
        "turns": 0,
    }  # one pixel of the crop is two of the photo
    assert moved(drawn, (3, -3), (31, 40))["box"] == [0.0, 11.0, 20.0, 31.0]
    assert moved(drawn, (-3, 3), (31, 40))["box"] == [6.0, 4.0, 26.0, 24.0]


def test_a_shift_needs_a_crop_to_move(tmp_path, paired):
    with pytest.raises(SettingError, match="needs an augmentation"):
        PairSource(paired(tmp_path, ["a"]), None, shift=3)
