import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from limpid.data.manifest import check
from limpid.data.pairing import find_pairs
from limpid.physics.kernel_files import read_kernels
from limpid.physics.leaves.presets import PRESETS
from pictures import picture


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def photos(tmp_path):
    for index in range(4):
        picture(tmp_path / f"photos/{index}.png", size=(60, 40), seed=index)
    return tmp_path / "photos"


WISHES = {
    "leaves": ["leaves", "--size", "24x32"],
    "textured": [
        "leaves",
        "--size",
        "24x32",
        "--set",
        "fills={linear: 1, noise: 1}",
        "--set",
        "fill_from=2",
        "--set",
        "supersample=2",
    ],
    "natural": ["leaves", "--size", "24", "--set", "colours=natural"],
    "degraded": ["leaves", "--size", "64x48", "--degradation", "motion_blur", "--degradation", "poisson_gaussian"],
    "pairs": ["pairs", "--size", "24x32", "--mixture", "glass", "--mixture", "screen", "--mixture", "subtractive"],
    "scenes": ["scenes", "--size", "24x32", "--set", "kinds=[wall, night]"],
    "kernels": ["kernels"],
}


@pytest.mark.parametrize("options", WISHES)
def test_the_manifest_regenerates_identical_bytes(limpid, tmp_path, photos, options):
    words = [*WISHES[options], *(["--source", photos] if options in ("natural", "pairs") else [])]
    made = limpid("synthesise", words[0], tmp_path / "a", *words[1:], "--count", 5, "--seed", 3, "--sheet")
    assert made.code == 0, made.err
    again = limpid("synthesise", "--from", tmp_path / "a" / "manifest.json", tmp_path / "b")
    assert again.code == 0, again.err
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert first == second
    manifest = json.loads(first["manifest.json"])
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in first.items() if name != "manifest.json"}
    assert {name: row["sha256"] for name, row in manifest["files"].items()} == hashes
    assert len(manifest["origin"]["items"]) == manifest["count"] == 5
    assert check(tmp_path / "a").ok
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("options", WISHES)
def test_equal_seeds_give_equal_bytes_and_others_do_not(limpid, tmp_path, photos, options):
    words = [*WISHES[options], *(["--source", photos] if options in ("natural", "pairs") else [])]
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert limpid("synthesise", words[0], tmp_path / name, *words[1:], "--count", 3, "--seed", seed).code == 0
    first, same, other = (files(tmp_path / name) for name in "abc")
    assert first == same
    assert all(first[name] != other[name] for name in first)
    contents = [content for name, content in first.items() if name != "manifest.json"]
    assert len(set(contents)) == len(contents)  # items differ from each other


def test_a_longer_set_begins_like_a_shorter_one(limpid, tmp_path):
    for name, count in (("a", 2), ("b", 4)):
        limpid("synthesise", "leaves", tmp_path / name, "--count", count, "--size", 16)
    short, long = files(tmp_path / "a"), files(tmp_path / "b")
    assert {name: content for name, content in long.items() if name in ("0000.png", "0001.png")}.items() <= short.items()


def test_sizes_are_height_and_width(limpid, tmp_path, photos):
    assert limpid("synthesise", "leaves", tmp_path / "a", "--count", 1, "--size", "24x40").code == 0
    assert Image.open(tmp_path / "a/0000.png").size == (40, 24)
    assert limpid("synthesise", "pairs", tmp_path / "b", "--count", 1, "--size", "24x40", "--source", photos).code == 0
    for layer in ("blended", "transmission_layer", "reflection_layer"):
        assert Image.open(tmp_path / "b" / layer / "0000.png").size == (40, 24)
    assert limpid("synthesise", "kernels", tmp_path / "c", "--count", 4, "--size", "65").code == 0
    assert {kernel.shape for kernel in read_kernels(tmp_path / "c/kernels.npz")} == {(65, 65)}


def test_windows_fit_photos_that_were_turned(limpid, tmp_path):
    (tmp_path / "source").mkdir()
    for name in "ab":
        shown = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 20, 3), dtype=np.uint8))
        shown.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "source" / f"{name}.tif", tiffinfo={274: 6})
    ran = limpid(
        "synthesise", "pairs", tmp_path / "out", "--count", 2, "--seed", 1, "--source", tmp_path / "source", "--size", "56x18"
    )
    assert ran.code == 0, ran.err
    assert {Image.open(path).size for path in (tmp_path / "out" / "blended").iterdir()} == {(18, 56)}


def test_pairs_are_a_folder_to_train_on_and_the_mixtures_those_asked_for(limpid, tmp_path, photos):
    limpid("synthesise", "pairs", tmp_path / "a", "--count", 12, "--size", 16, "--source", photos, *WISHES["pairs"][3:])
    assert [pair.name for pair in find_pairs(tmp_path / "a")] == [f"{index:04d}" for index in range(12)]
    items = json.loads((tmp_path / "a/manifest.json").read_text())["origin"]["items"].values()
    assert {item["mixture"] for item in items} == {"glass", "screen", "subtractive"}
    assert all(item["transmission"]["photo"] != item["reflection"]["photo"] for item in items)
    assert {item["parameters"]["sigma"] for item in items if item["mixture"] == "screen"}  # what was drawn, as plain data


def test_kernels_sum_to_one_and_differ(limpid, tmp_path):
    limpid("synthesise", "kernels", tmp_path / "a", "--count", 6, "--set", "classes=[big]")
    kernels = read_kernels(tmp_path / "a/kernels.npz")
    assert len({kernel.tobytes() for kernel in kernels}) == 6
    assert all(max(kernel.shape) >= 15 for kernel in kernels)
    with zipfile.ZipFile(tmp_path / "a/kernels.npz") as archive:
        raw = [np.load(archive.open(name)) for name in archive.namelist()]
    np.testing.assert_allclose([kernel.sum() for kernel in raw], 1, atol=1e-12)


def test_degraded_leaves_come_with_their_sharp_versions(limpid, tmp_path):
    limpid("synthesise", "leaves", tmp_path / "a", "--count", 2, "--size", 32, "--degradation", "gaussian_noise")
    limpid("synthesise", "leaves", tmp_path / "b", "--count", 2, "--size", 32)
    for name in ("0000.png", "0001.png"):
        assert (tmp_path / "a/transmission_layer" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a/blended" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()


def test_the_sheet_is_written_where_nobody_trains_on_it(limpid, tmp_path, photos):
    limpid("synthesise", "pairs", tmp_path / "a", "--count", 3, "--size", 96, "--source", photos, "--sheet")
    sheet = np.asarray(Image.open(tmp_path / "a/sheet/sheet.png"))
    shown = np.asarray(Image.open(tmp_path / "a/blended/0000.png"))
    tile = sheet[20 : 20 + 192, 4 : 4 + 192]
    assert np.array_equal(tile[::2, ::2], shown)  # 96 pixels, twice as large
    limpid("synthesise", "leaves", tmp_path / "b", "--count", 3, "--size", 16, "--sheet")
    assert sorted(path.name for path in (tmp_path / "b").glob("*.png")) == ["0000.png", "0001.png", "0002.png"]


def test_a_preset_is_the_published_collection(limpid, tmp_path):
    done = limpid("synthesise", "leaves", tmp_path / "a", "--preset", "randomrgb_1024", "--count", 1, "--size", 64)
    assert done.code == 0, done.err
    origin = json.loads((tmp_path / "a/manifest.json").read_text())["origin"]
    assert origin["items"] == {"0000": {"numpy_seed": 42}}
    assert (origin["settings"]["law"], origin["settings"]["supersample"]) == ("published", 5)
    done = limpid("synthesise", "leaves", tmp_path / "b", "--preset", "div2k_512", "--count", 1)
    assert done.code == 2
    assert "name them with --source" in done.err
    assert PRESETS["div2k_512"].count == 4000


def test_moved_photos_are_found_by_source_and_changed_ones_refused(limpid, tmp_path, photos):
    limpid("synthesise", "pairs", tmp_path / "a", "--count", 2, "--size", 16, "--source", photos)
    photos.rename(tmp_path / "moved")
    lost = limpid("synthesise", "--from", tmp_path / "a", tmp_path / "b")
    assert lost.code == 1
    assert "photos is no folder" in lost.err
    assert limpid("synthesise", "--from", tmp_path / "a", tmp_path / "b", "--source", tmp_path / "moved").code == 0
    assert files(tmp_path / "a") == files(tmp_path / "b")
    picture(tmp_path / "moved/2.png", seed=99)
    changed = limpid("synthesise", "--from", tmp_path / "a", tmp_path / "c", "--source", tmp_path / "moved")
    assert changed.code == 1
    assert "differing 1: 2.png" in changed.err
    assert not (tmp_path / "c").exists()


def altered(manifest, change):
    content = json.loads(manifest.read_text())
    change(content["origin"])
    manifest.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda origin: origin["items"]["0001"].update(index=7), r"differs from the manifest; 1: 0001.png"),
        (lambda origin: origin["items"].update({"../../evil": {}}), "it names an item '../../evil'"),
        (lambda origin: origin["items"]["0001"].clear(), "nothing can be made (KeyError: 'seed')"),
        (lambda origin: origin.update(seed="seven"), "is damaged: seed"),
        (lambda origin: origin.update(size=None), "needs a size"),
        (lambda origin: origin["settings"].update(radius=[9, 2]), "chart.radius must rise"),
        (lambda origin: origin.clear(), "is damaged: limpid"),
    ],
)
def test_an_altered_manifest_makes_nothing(limpid, tmp_path, change, says):
    limpid("synthesise", "leaves", tmp_path / "a", "--count", 2, "--size", 16)
    altered(tmp_path / "a/manifest.json", change)
    done = limpid("synthesise", "--from", tmp_path / "a/manifest.json", tmp_path / "b")
    assert done.code in (1, 2)
    assert says in done.err
    assert done.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["leafs", "OUT"], "did you mean 'leaves'"),
        (["pairs", "OUT", "--mixture", "sreen"], "did you mean 'screen'"),
        (["leaves", "OUT", "--preset", "div2k_513"], "did you mean 'div2k_512'"),
        (["leaves", "OUT", "--degradation", "motionblur"], "did you mean 'motion_blur'"),
        (["leaves", "OUT", "--set", "color=natural"], "did you mean 'colours'"),
        (["leaves", "OUT", "--set", "colours=naturel"], "colours"),
        (["leaves", "OUT", "--set", "radius=[wide, 3]"], "radius"),
        (["leaves", "OUT", "--set", "radius"], "takes NAME=VALUE"),
        (["leaves", "OUT", "--set", "radius=[2"], "cannot be read"),
        (["pairs", "OUT", "--set", "radius=3"], "no setting of pairs"),
        (["leaves", "OUT", "--mixture", "glass"], "--mixture concerns pairs"),
        (["kernels", "OUT", "--preset", "div2k_512"], "--preset concerns leaves"),
        (["kernels", "OUT", "--size", "64"], "odd sizes"),
        (["kernels", "OUT", "--size", "3"], "larger --size"),
        (["kernels", "OUT", "--set", "classes=[huge]"], "classes"),
        (["leaves", "OUT", "--size", "0x4"], "HEIGHTxWIDTH"),
        (["leaves", "OUT", "--size", "large"], "HEIGHTxWIDTH"),
        (["leaves", "OUT", "--count", "0"], "--count starts at 1"),
        (["leaves", "OUT", "--seed", "-1"], "--seed starts at 0"),
        (["leaves", "OUT", "--source", "photos"], "nothing here uses it"),
        (["pairs", "OUT", "--source", "nowhere"], "nowhere is no folder"),
        (["pairs", "OUT", "--source", "empty"], "holds no photo"),
        (["pairs", "OUT", "--source", "single"], "at least two photos"),
        (["pairs", "OUT", "--source", "corrupt"], "corrupt/b.png"),
        (["leaves"], "expected KIND and OUT"),
        (["leaves", "full"], "--overwrite"),
        (["leaves", "full", "--overwrite"], "was not made by `limpid synthesise`"),
        (["leaves", "full/thesis.tex"], "is a file"),
        (["--from", "nowhere.json", "OUT"], "nowhere.json"),
        (["--from", "full", "OUT"], "manifest.json"),
        (["--from", "nowhere.json", "OUT", "--count", "3"], "the manifest says all the rest"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_leaves_nothing(limpid, tmp_path, monkeypatch, photos, words, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    picture(tmp_path / "single/a.png")
    picture(tmp_path / "corrupt/a.png")
    (tmp_path / "corrupt/b.png").write_bytes(b"<html>")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("years of work")
    before = files(tmp_path)
    done = limpid("synthesise", *words)
    assert done.code in (1, 2)
    assert says in done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    assert files(tmp_path) == before
    assert not (tmp_path / "OUT").exists()


def test_overwriting_replaces_a_synthesised_set_whole(limpid, tmp_path, photos):
    limpid("synthesise", "leaves", tmp_path / "a", "--count", 4, "--size", 16)
    assert limpid("synthesise", "leaves", tmp_path / "a", "--count", 2, "--size", 16).code == 2
    assert limpid("synthesise", "leaves", tmp_path / "a", "--count", 2, "--size", 16, "--overwrite").code == 0
    assert sorted(files(tmp_path / "a")) == ["0000.png", "0001.png", "manifest.json"]
    eaten = limpid("synthesise", "pairs", tmp_path / "a", "--source", tmp_path / "a", "--overwrite")
    assert eaten.code == 2
    assert "lie in OUT" in eaten.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "photos"]


def test_the_bundled_photos_serve_where_no_source_is_given(limpid, tmp_path):
    done = limpid("synthesise", "pairs", tmp_path / "a", "--count", 2, "--size", 32)
    assert done.code == 0, done.err
    assert done.out == f"wrote {tmp_path / 'a'}: pairs (2), 6 files and manifest.json\n"
    source = json.loads((tmp_path / "a/manifest.json").read_text())["origin"]["source"]
    assert source["folder"] is None
    assert sorted(source["photos"]) == ["astronaut", "chelsea", "coffee", "rocket"]


def test_a_full_disk_leaves_what_was_there(limpid, tmp_path, monkeypatch):
    limpid("synthesise", "kernels", tmp_path / "a", "--count", 2)
    before = files(tmp_path)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    done = limpid("synthesise", "kernels", tmp_path / "a", "--count", 3, "--overwrite")
    assert done.code == 1
    assert "No space left on device" in done.err
    assert files(tmp_path) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_leaves_nothing(tmp_path, number, code):
    words = ["synthesise", "leaves", str(tmp_path / "out"), "--count", "5000", "--size", "64"]
    process = subprocess.Popen(
        [sys.executable, "-m", "limpid", *words], stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("0002.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert b"stopped" in err
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def _a_file(folder):
    (folder / "notes.txt").write_text("mine")


def _a_folder(folder):
    (folder / "thesis").mkdir()
    (folder / "thesis" / "chapter.tex").write_text("mine")


def _a_link(folder):
    (folder / "home").symlink_to(folder.parent)


def _a_retouched_picture(folder):
    picture(next(folder.rglob("*.png")))


@pytest.mark.parametrize("put", [_a_file, _a_folder, _a_link, _a_retouched_picture])
def test_overwriting_deletes_only_what_was_made(limpid, tmp_path, put):
    words = ("synthesise", "leaves", tmp_path / "a", "--count", 2, "--size", 16)
    assert limpid(*words).code == 0
    put(tmp_path / "a")
    before = files(tmp_path / "a")
    refused = limpid(*words, "--seed", 5, "--overwrite")
    assert refused.code == 2
    assert "did not make or somebody changed" in refused.err
    assert files(tmp_path / "a") == before
