import unicodedata

import numpy as np
import pytest
from PIL import Image

from limpid.data.augment import Augment
from limpid.data.decode import pixels, size
from limpid.data.manifest import check
from limpid.data.pairing import find_pairs, inspect
from limpid.data.pairs import PairFolder, PairSource
from limpid.data.photo_folders import PhotoFolder
from limpid.errors import DataError, PhotoError
from limpid.image import formats
from limpid.physics.seeds import generator


def test_pairs_go_by_stem_and_not_by_ending_or_position(tmp_path, save):
    for name, blended, behind in (("a", "jpg", "png"), ("b", "png", "jpg"), ("10", "png", "png"), ("9", "png", "bmp")):
        save(tmp_path / "blended" / f"{name}.{blended}", 1)
        save(tmp_path / "transmission_layer" / f"{name}.{behind}", 2)
    pairs = find_pairs(tmp_path)
    assert [pair.name for pair in pairs] == ["10", "9", "a", "b"]
    assert all(
        pair.input.stem == pair.layers["transmission"].stem == pair.name and "reflection" not in pair.layers for pair in pairs
    )


def test_an_item_holds_the_exact_values_of_its_files(tmp_path, paired):
    paired(tmp_path, ["x", "y"], reflection=True)
    item = PairFolder(tmp_path)[1]
    assert item.name == "y"
    for layer, folder in (
        (item.input, "blended"),
        (item.layers["transmission"], "transmission_layer"),
        (item.layers["reflection"], "reflection_layer"),
    ):
        expected = np.asarray(Image.open(tmp_path / folder / "y.png"), np.float32).transpose(2, 0, 1) / 255
        np.testing.assert_allclose(layer.numpy(), expected, atol=1e-7)


def test_missing_partners_are_listed_in_both_directions(tmp_path, paired, save):
    paired(tmp_path, ["kept"])
    save(tmp_path / "blended" / "lonely.png")
    save(tmp_path / "transmission_layer" / "widow.jpg")
    with pytest.raises(DataError, match="2: .*") as caught:
        find_pairs(tmp_path)
    assert "blended/lonely.png has no partner in transmission_layer/" in str(caught.value)
    assert "transmission_layer/widow.jpg has no partner in blended/" in str(caught.value)


def test_a_reflection_layer_is_for_all_or_for_none(tmp_path, paired):
    paired(tmp_path, ["a", "b"], reflection=True)
    (tmp_path / "reflection_layer" / "b.png").unlink()
    with pytest.raises(DataError, match=r"blended/b.png has no partner in reflection_layer/"):
        PairFolder(tmp_path)


def test_double_stems_are_refused(tmp_path, paired, save):
    save(paired(tmp_path, ["a"]) / "blended" / "a.jpg")
    with pytest.raises(DataError, match="has the stem of a"):
        find_pairs(tmp_path)


def test_unequal_sizes_are_refused_and_the_list_is_cut_after_five(tmp_path, paired, save):
    paired(tmp_path, [f"p{number}" for number in range(9)])
    for number in range(7):
        save(tmp_path / "transmission_layer" / f"p{number}.png", 3, 10, 16)
    with pytest.raises(DataError, match="7: .* and 2 more") as caught:
        find_pairs(tmp_path)
    assert "blended/p0.png differs in size from its layers (blended 16×12, transmission_layer 16×10)" in str(caught.value)
    assert "p5" not in str(caught.value)
    assert len(inspect(tmp_path)[1]) == 7


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no pairs; expected photos in blended/"):
        find_pairs(tmp_path)


def test_hidden_files_and_other_endings_do_not_count(tmp_path, paired):
    paired(tmp_path, ["a"])
    (tmp_path / "blended" / "._a.png").write_bytes(b"rubbish")
    (tmp_path / "blended" / "notes.txt").write_text("x")
    assert len(PairFolder(tmp_path)) == 1


def test_a_corrupt_file_of_a_benchmark_is_an_error_that_names_it(tmp_path, paired):
    paired(tmp_path, ["a", "b"])
    path = tmp_path / "transmission_layer" / "b.png"
    path.write_bytes(path.read_bytes()[:-60])
    folder = PairFolder(tmp_path)
    assert folder[0].name == "a"
    with pytest.raises(PhotoError, match=r"b\.png"):
        folder[1]


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_sizes_and_pixels_are_upright(tmp_path, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    path = tmp_path / "turned.jpg"
    Image.fromarray(np.zeros((10, 24, 3), np.uint8)).save(path, exif=exif)
    assert size(path) == pixels(path).shape[:2] == ((24, 10) if turn >= 5 else (10, 24))


@pytest.mark.parametrize("ending", ["jpg", "png", "bmp"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.97])
def test_a_file_that_is_cut_short_is_never_taken_for_a_photo(tmp_path, save, ending, share):
    path = save(tmp_path / f"cut.{ending}", 1, 60, 80)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(PhotoError, match=r"cut\.\w+ .*(cut short|cannot be decoded)"):
        pixels(path)


def test_a_jpeg_with_a_whole_thumbnail_and_half_a_picture_is_cut_short(tmp_path, save):
    thumbnail = save(tmp_path / "small.jpg", 1).read_bytes()
    whole = save(tmp_path / "large.jpg", 2, 60, 80).read_bytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    path = tmp_path / "cut.jpg"
    path.write_bytes((whole[:2] + segment + whole[2:])[: len(segment) + len(whole) // 2])
    with pytest.raises(PhotoError):
        pixels(path)


def test_photos_of_a_folder_come_by_name(tmp_path, save):
    for seed, name in enumerate(["b.png", "a.jpg", "c.bmp"]):
        save(tmp_path / name, seed)
    folder = PhotoFolder(tmp_path)
    assert folder.stems == ["a", "b", "c"]
    np.testing.assert_array_equal(folder[1], np.asarray(Image.open(tmp_path / "b.png")))
    np.testing.assert_array_equal(folder[-1], folder[0:3][2])
    with pytest.raises(IndexError):
        folder[3]


def test_kept_photos_are_decoded_once(tmp_path, save):
    path = save(tmp_path / "a.png")
    kept, fresh = PhotoFolder(tmp_path, keep=True), PhotoFolder(tmp_path)
    first = kept[0]
    save(path, 99)
    assert kept[0] is first
    assert (fresh[0] != first).any()


def test_folders_without_photos_or_with_double_stems_are_refused(tmp_path, save):
    with pytest.raises(DataError, match="holds no photo"):
        PhotoFolder(tmp_path)
    save(tmp_path / "a.png")
    save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="double stems"):
        PhotoFolder(tmp_path)


@pytest.fixture
def uneven(tmp_path, paired, save):
    """Pairs a, b, c; the transmission of b is smaller, and that of d missing."""
    paired(tmp_path, ["a", "b", "c", "d"])
    save(tmp_path / "transmission_layer" / "b.png", 3, 8, 10)
    (tmp_path / "transmission_layer" / "d.png").unlink()
    return tmp_path


def test_what_does_not_pair_up_is_left_out_only_where_that_is_allowed(uneven, caplog):
    with pytest.raises(DataError, match=r"does not pair up; 2: blended/d.png has no partner"):
        find_pairs(uneven)
    with pytest.raises(DataError, match=r"does not pair up; 1: blended/b.png differs in size"):
        find_pairs(uneven, allow_missing=True)
    with pytest.raises(DataError, match=r"does not pair up; 1: blended/d.png has no partner"):
        find_pairs(uneven, on_mismatch="skip")
    caplog.clear()
    assert [pair.name for pair in find_pairs(uneven, allow_missing=True, on_mismatch="skip")] == ["a", "c"]
    assert "does not pair up; 2: blended/d.png" in caplog.text
    assert [pair.name for pair in find_pairs(uneven, allow_missing=True, on_mismatch="crop")] == ["a", "b", "c"]


@pytest.mark.parametrize(("on_mismatch", "size"), [("crop", (8, 10)), ("resize", (12, 16))])
def test_layers_of_unequal_size_are_cropped_or_resized_together(uneven, on_mismatch, size):
    source = PairSource(uneven, Augment(flip=0.0), allow_missing=True, on_mismatch=on_mismatch)
    pair = source.pair(1, 0, generator(1))
    assert pair.name == "b"
    assert pair.input.shape == pair.layers["transmission"].shape == (3, *size)
    before = pixels(uneven / "blended/b.png")
    expected = before[2:10, 3:13] if on_mismatch == "crop" else before  # the middle
    assert np.array_equal(pair.input.mul(255).round().byte().permute(1, 2, 0).numpy(), expected)


def test_double_stems_are_never_waived(uneven, save):
    save(uneven / "blended" / "a.jpg")
    with pytest.raises(DataError, match="has the stem of"):
        find_pairs(uneven, allow_missing=True, on_mismatch="skip")


# ---------------------------------------------------------------- names as people have them


def test_pairs_in_folders_below_go_by_their_whole_place(tmp_path, save):
    for place in ("s1/a", "s2/a", "b", "s1/.hidden/c"):
        for layer in ("blended", "transmission_layer"):
            save(tmp_path / layer / f"{place}.png", len(place))
    assert [pair.name for pair in find_pairs(tmp_path)] == ["b", "s1/a", "s2/a"]
    (tmp_path / "transmission_layer" / "s2" / "a.png").unlink()
    with pytest.raises(DataError, match=r"blended/s2/a.png has no partner in transmission_layer/"):
        find_pairs(tmp_path)
    assert [pair.name for pair in find_pairs(tmp_path, allow_missing=True)] == ["b", "s1/a"]
    assert [str(problem) for problem in check(tmp_path).problems] == ["blended/s2/a.png has no partner in transmission_layer/"]


@pytest.mark.parametrize(("one", "other"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
@pytest.mark.parametrize("name", ["café", "Ängström/ñ", "가"])
def test_accents_may_be_composed_or_not(tmp_path, save, name, one, other):
    for layer, form in (("blended", one), ("transmission_layer", other)):
        save(tmp_path / layer / f"{unicodedata.normalize(form, name)}.png")
    assert [pair.name for pair in find_pairs(tmp_path)] == [unicodedata.normalize("NFC", name)]
    assert check(tmp_path).problems == ()


def test_a_photo_of_a_kind_that_is_not_read_is_named_and_left_out_only_where_allowed(tmp_path, paired, caplog, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    paired(tmp_path, ["a"])
    for place in ("blended/b.heic", "transmission_layer/b.heic"):
        (tmp_path / place).write_bytes(b"x")
    with pytest.raises(DataError, match=r"blended/b.heic is of a kind that is not read here \(HEIC\)"):
        find_pairs(tmp_path)
    assert [pair.name for pair in find_pairs(tmp_path, allow_missing=True)] == ["a"]
    assert "b.heic" in caplog.text
    assert len(check(tmp_path).problems) == 2


def test_a_folder_of_photos_names_what_it_leaves_out(tmp_path, save, caplog, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    for place in ("a.png", "below/b.png", "below/c.png"):
        save(tmp_path / place)
    (tmp_path / "d.heic").write_bytes(b"x")
    (tmp_path / "e.dng").write_bytes(b"x")
    assert PhotoFolder(tmp_path).stems == ["a"]
    for words in ("d.heic is of a kind that is not read here (HEIC)", "e.dng", "the 2 photos in folders below it"):
        assert words in caplog.text
    assert [problem.file for problem in check(tmp_path).problems] == ["d.heic", "e.dng"]
