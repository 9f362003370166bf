import shutil

import pytest

from limpid import catalogue
from limpid.data.pairs import PairSource
from limpid.data.preflight import check, same_bytes
from limpid.errors import DataError


@pytest.fixture
def roots(tmp_path, paired, save):
    paired(tmp_path / "train", ["a", "b"])
    for number in range(2):
        for layer in ("blended", "transmission_layer"):
            save(tmp_path / "held" / layer / f"{number}.png", 50 + number, 14, 18)
    return tmp_path


def checked(roots, held="held", **settings):
    settings = {"length": 10, "per_step": 4, **settings}
    return check([PairSource(roots / "train", None)], {"validate": [PairSource(roots / held, None)]}, **settings)


def test_sound_data_give_no_word(roots):
    assert checked(roots) == []


def test_a_held_out_file_under_another_name_is_found(roots):
    shutil.copy(roots / "train" / "blended" / "b.png", roots / "held" / "blended" / "1.png")
    shutil.copy(roots / "train" / "transmission_layer" / "b.png", roots / "held" / "transmission_layer" / "1.png")
    with pytest.raises(
        DataError, match=r"^validate holds files that are also trained on.*; 2: .*held/blended/1.png is .*train/blended/b"
    ):
        checked(roots)


def test_the_training_folder_itself_is_no_validation(roots):
    with pytest.raises(DataError, match=r"also trained on.*; 4: .*train/blended/a.png, "):
        checked(roots, held="train")


def test_photos_behind_mixtures_leaves_and_degraded_sources_count(roots, save):
    folder = roots / "held" / "blended"
    sources = {name: catalogue.find("sources", name).build for name in ("mixture", "leaves", "degraded")}
    subtractive = [(catalogue.find("mixtures", "subtractive").build(), 1.0)]
    for source in (
        sources["mixture"](transmission=folder, mixtures=subtractive, seed=1),
        sources["mixture"](transmission=roots / "train/blended", reflection=folder, partner="random", mixtures=subtractive, seed=1),
        sources["leaves"](degradations=[], photos=folder),
        sources["degraded"](root=f"{roots / 'train/blended'}, {folder}", degradations=[]),
    ):
        with pytest.raises(DataError, match="real20 holds files that are also trained on"):
            check([source], {"validate": [], "real20": [PairSource(roots / "held", None)]}, 10, 1)


def test_training_files_of_the_same_bytes_are_a_warning(roots):
    for layer in ("blended", "transmission_layer"):
        shutil.copy(roots / "train" / layer / "a.png", roots / "train" / layer / "c.png")
    (warning,) = checked(roots)
    assert "training files hold the same bytes; 2: " in warning
    assert "blended/a.png = " in warning


def test_a_step_larger_than_an_epoch_is_refused(roots):
    assert checked(roots, length=4) == []
    with pytest.raises(DataError, match="a step takes 4 items, an epoch has 3; lower data.batch"):
        checked(roots, length=3)


def test_empty_data_are_refused(roots):
    source = PairSource(roots / "train", None)
    source.files_of_pairs = []
    with pytest.raises(DataError, match="nothing to train on"):
        check([source], {}, 4, 1)
    with pytest.raises(DataError, match="nothing to train on"):
        check([], {}, 4, 1)
    with pytest.raises(DataError, match="nothing to measure on: validate"):
        check([PairSource(roots / "train", None)], {"validate": [source]}, 4, 1)


def test_only_files_of_equal_length_are_read(tmp_path, monkeypatch):
    for name, text in (("a", "xy"), ("b", "yx"), ("c", "xyz")):
        (tmp_path / name).write_text(text)
    hashes = same_bytes(tmp_path / name for name in "abc")
    assert set(hashes) == {tmp_path / "a", tmp_path / "b"}
    assert len(set(hashes.values())) == 2
