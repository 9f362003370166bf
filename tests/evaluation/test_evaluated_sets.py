"""What ``--on`` finds out about a set before anything is measured."""

import pytest

from evaluation.pair_sets import paired, photo, save
from limpid.data.manifest import Manifest
from limpid.evaluation.degradation_text import parse
from limpid.evaluation.sets import open_set


@pytest.mark.parametrize(("size", "variant"), [((320, 420), "420"), ((60, 40), "")])
def test_the_variant_of_real20_is_seen_in_its_photos(tmp_path, size, variant):
    paired(tmp_path / "real20", ["110"], size=size)
    assert open_set(f"real20={tmp_path / 'real20'}", []).info.variant == variant


def test_a_manifest_that_photos_belie_is_told(tmp_path):
    root = paired(tmp_path / "r20", ["110"], size=(320, 420))
    Manifest(set="real20", variant="native", count=1, files={}).write(root)
    found = open_set(str(root), [])
    assert found.info.label == "real20/420"
    assert any("calls it native, but its photos have the sizes of 420" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "stem", "scene"),
    [
        ("objects", "12_Focus_F11", "12"),
        ("postcard", "Thickness_ad_10", "ad"),
        ("postcard", "ad-10-3", "ad"),
        ("wild", "12", ""),
        ("gopro", "GOPR0384_11_00-000001", "GOPR0384_11_00"),
        ("sidd", "0001_001_S6_00100_00060_3200_L_010", "001"),
        ("sidd", "0017_32", "0017"),
        ("cdr", "C2_5532_5531_1", "C2_5532_5531"),
        ("rrw", "ref_hf3_wild_out1_frame_00001", "ref_hf3_wild_out1"),
    ],
)
def test_photos_of_one_scene_are_known_by_their_names(tmp_path, name, stem, scene):
    root = paired(tmp_path / "set", [stem])
    (item,) = open_set(f"{name}={root}", []).items
    assert item.scene == scene


def test_the_count_that_is_expected_is_that_of_the_variant(tmp_path):
    root = paired(tmp_path / "set", ["a"])
    Manifest(set="nature", variant="train", count=1, files={}).write(root)
    assert any("published results are of 200" in note for note in open_set(str(root), []).notes)


def test_crops_that_the_label_does_not_say_are_said(tmp_path):
    save(tmp_path / "photos" / "a.png", photo(0, (60, 80)))
    (one,), (first, *_) = (
        [note for note in open_set(str(tmp_path / "photos"), parse(["noise:sigma=5"], crops)).notes if "centre" in note] or [""]
        for crops in ([(40, 30)], [40, 50])
    )
    assert one == "photos: centre crops of 40×30 pixels"
    assert first == ""
