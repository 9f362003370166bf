import hashlib
import json
import os

import pytest

from limpid.data import prepare as preparing
from limpid.data.manifest import Manifest, check
from limpid.data.pairs import PairFolder
from limpid.data.prepare import prepare
from limpid.errors import DataError, UnknownNameError, UsageError

WILD = {"counts": (3,)}


@pytest.fixture
def raw(tmp_path, save):
    """A miniature of SIR2 Wild, current release, doubled folder included."""
    root = tmp_path / "raw"
    for number, name in enumerate(["3", "7s", "12"]):
        for place, letter in enumerate("mgr"):
            save(root / "Wildscene" / "Wildscene" / name / f"{letter}.jpg", 10 * number + place)
    return root


def test_a_prepared_set_keeps_the_bytes_and_pairs_up(raw, tmp_path, snapshot):
    before = snapshot(raw)
    manifest = prepare("sir2_wild", raw, tmp_path / "out", settings=WILD)
    assert (manifest.set, manifest.variant, manifest.count, manifest.label) == ("sir2_wild", "", 3, "sir2_wild (3)")
    assert [item.name for item in PairFolder(tmp_path / "out")] == ["12", "3", "7s"]
    for letter, layer in (("m", "blended"), ("g", "transmission_layer"), ("r", "reflection_layer")):
        source = raw / "Wildscene" / "Wildscene" / "7s" / f"{letter}.jpg"
        target = tmp_path / "out" / layer / "7s.jpg"
        assert target.read_bytes() == source.read_bytes()
        record = manifest.files[f"{layer}/7s.jpg"]
        assert record.size == (12, 16)
        assert record.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert snapshot(raw) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "raw"]


def test_the_manifest_survives_writing_and_reading(raw, tmp_path):
    manifest = prepare("sir2_wild", raw, tmp_path / "out", settings=WILD)
    assert Manifest.read(tmp_path / "out") == manifest
    content = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert content["count"] == 3
    assert len(content["files"]) == 9


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"set": 1, "files": {"a": 3}}', '{"files": []}'])
def test_a_broken_manifest_is_an_error_and_not_a_crash(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=r"manifest\.json is no manifest"):
        Manifest.read(tmp_path)


def test_a_second_run_does_nothing(raw, tmp_path, snapshot):
    first = prepare("sir2_wild", raw, tmp_path / "out", settings=WILD)
    before = snapshot(tmp_path / "out")
    assert prepare("sir2_wild", raw, tmp_path / "out", settings=WILD) == first
    assert snapshot(tmp_path / "out") == before


def test_two_preparations_are_equal_to_the_byte(raw, tmp_path, snapshot, zipped):
    prepare("sir2_wild", raw, tmp_path / "one", settings=WILD)
    prepare("sir2_wild", zipped(raw, tmp_path / "raw.zip"), tmp_path / "two", settings=WILD)
    one, two = (snapshot(tmp_path / name) for name in ("one", "two"))
    assert {name: content for name, (_, content) in one.items()} == {name: content for name, (_, content) in two.items()}


def test_a_set_that_was_damaged_since_is_refused_with_names(raw, tmp_path):
    out = tmp_path / "out"
    prepare("sir2_wild", raw, out, settings=WILD)
    (out / "blended" / "3.jpg").unlink()
    with pytest.raises(DataError, match=r"not whole any more; .*blended/3\.jpg is missing"):
        prepare("sir2_wild", raw, out, settings=WILD)


def test_another_set_or_folder_at_out_is_refused(raw, tmp_path, snapshot):
    prepare("sir2_wild", raw, tmp_path / "out", settings=WILD)
    with pytest.raises(UsageError, match=r"holds sir2_wild \(3\), not real20/short512; choose another OUT"):
        prepare("real20", raw, tmp_path / "out", settings={"variant": "short512"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    before = snapshot(tmp_path / "mine")
    with pytest.raises(UsageError, match="exists and is no prepared set"):
        prepare("sir2_wild", raw, tmp_path / "mine", settings=WILD)
    assert snapshot(tmp_path / "mine") == before


def test_an_empty_folder_at_out_is_filled(raw, tmp_path):
    (tmp_path / "out").mkdir()
    assert prepare("sir2_wild", raw, tmp_path / "out", settings=WILD).count == 3


@pytest.mark.parametrize("out", ["raw", "raw/tidy", "raw/Wildscene/Wildscene/3", "."])
def test_out_and_raw_must_not_lie_in_each_other(raw, tmp_path, out, snapshot):
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="never written to"):
        prepare("sir2_wild", raw, tmp_path / out, settings=WILD)
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_out_inside_raw_is_found_out_through_links(raw, tmp_path):
    (tmp_path / "link").symlink_to(raw)
    with pytest.raises(UsageError, match="never written to"):
        prepare("sir2_wild", raw, tmp_path / "link" / "tidy", settings=WILD)


def test_a_download_of_something_else_is_no_empty_set(raw, tmp_path):
    with pytest.raises(DataError, match="RAW does not fit shapenet_intrinsic: none of its"):
        prepare("shapenet_intrinsic", raw, tmp_path / "out")


def test_what_does_not_fit_leaves_nothing_behind_and_says_found_and_expected(raw, tmp_path):
    with pytest.raises(DataError, match=r"the count is 3; expected 55 or 101 or 52 items as \[Wildscene/\]") as caught:
        prepare("sir2_wild", raw, tmp_path / "out")
    assert "Wildscene" in str(caught.value)
    with pytest.raises(DataError, match="none of its 9 files is recognised; expected 68 items"):
        prepare("cbsd68", raw, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_a_failure_halfway_leaves_nothing_behind(raw, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(preparing.shutil, "copyfile", fail)
    with pytest.raises(DataError, match=r"out cannot be made \(disk full\); free some space"):
        prepare("sir2_wild", raw, tmp_path / "out", settings=WILD)
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_corrupt_files_and_unequal_layers_are_named(raw, tmp_path, save):
    save(raw / "Wildscene" / "Wildscene" / "3" / "g.jpg", 1, 10, 16)
    path = raw / "Wildscene" / "Wildscene" / "12" / "r.jpg"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="does not fit sir2_wild; 2: ") as caught:
        prepare("sir2_wild", raw, tmp_path / "out", settings=WILD)
    assert "r.jpg is cut short" in str(caught.value)
    assert "'3' has layers of different sizes (input 16×12, reflection 16×12, transmission 16×10)" in str(caught.value)


def test_unknown_sets_and_settings_answer_with_the_nearest(raw, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'sir2_wild'"):
        prepare("sir2_wilt", raw, tmp_path / "out")
    with pytest.raises(UnknownNameError, match="no setting of sir2_wild named 'count'; did you mean 'counts'"):
        prepare("sir2_wild", raw, tmp_path / "out", settings={"count": 3})
    with pytest.raises(UsageError, match="voc224 needs the setting names"):
        prepare("voc224", raw, tmp_path / "out")
    with pytest.raises(UsageError, match="made on the fly"):
        prepare("dead_leaves_live", raw, tmp_path / "out")


def test_a_whole_set_checks_out(raw, tmp_path):
    manifest = prepare("sir2_wild", raw, tmp_path / "out", settings=WILD)
    report = check(tmp_path / "out")
    assert report.ok
    assert (report.checked, report.problems, report.manifest) == (9, (), manifest)


def test_check_names_every_file_that_is_wrong(raw, tmp_path, save):
    out = tmp_path / "out"
    prepare("sir2_wild", raw, out, settings=WILD)
    (out / "blended" / "3.jpg").unlink()
    save(out / "blended" / "7s.jpg", 99)
    path = out / "transmission_layer" / "12.jpg"
    path.write_bytes(path.read_bytes()[:200])
    save(out / "reflection_layer" / "new.png")
    found = {problem.file: problem.what for problem in check(out).problems if "partner" not in problem.what}
    assert found.keys() == {"blended/3.jpg", "blended/7s.jpg", "transmission_layer/12.jpg", "reflection_layer/new.png"}
    assert found["blended/3.jpg"] == "is missing"
    assert found["blended/7s.jpg"].startswith("has changed")
    assert "is cut short (200 bytes)" in found["transmission_layer/12.jpg"]
    assert found["reflection_layer/new.png"] == "is not in the manifest"


def test_check_finds_corrupt_photos_in_any_folder(tmp_path, save, paired):
    for number in range(3):
        save(tmp_path / "flat" / f"{number}.png", number)
    assert check(tmp_path / "flat").ok
    path = tmp_path / "flat" / "1.png"
    path.write_bytes(path.read_bytes()[:50])
    assert [problem.file for problem in check(tmp_path / "flat").problems] == ["1.png"]
    paired(tmp_path / "pairs", ["a", "b"])
    (tmp_path / "pairs" / "blended" / "b.png").write_bytes(b"<html>")
    problems = check(tmp_path / "pairs").problems
    reason = "(it is not an image but a web page)"
    assert [str(problem) for problem in problems] == [
        f"blended/b.png cannot be decoded as a photo {reason}; fetch it again or remove it"
    ]


def test_check_of_nothing_is_an_error(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        check(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds nothing to check"):
        check(tmp_path)


RECORD = {"size": None, "sha256": "0" * 64}
DAMAGED = {
    "a place on the disk": {"/etc/passwd": RECORD},
    "a place outside": {"../../../../etc/passwd": RECORD},
    "a detour outside": {"a/../../b": RECORD},
    "a place on another system": {"C:\\Windows\\win.ini": RECORD},
    "a detour of another system": {"..\\b": RECORD},
    "a name too long": {"a" * 5000: RECORD},
    "a name of nothing": {"": RECORD},
    "a NUL": {"a\0b": RECORD},
    "no size": {"a": {**RECORD, "size": []}},
    "half a size": {"a": {**RECORD, "size": [3]}},
    "a size of words": {"a": {**RECORD, "size": ["wide", "high"]}},
    "a checksum of numbers": {"a": {**RECORD, "sha256": 5}},
}


@pytest.mark.parametrize("files", DAMAGED.values(), ids=DAMAGED)
def test_a_manifest_that_lists_what_is_no_file_of_the_set_is_refused(tmp_path, files):
    content = {"format": 1, "set": "s", "variant": "", "count": 1, "files": files, "origin": None}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"manifest\.json is no manifest of a prepared set") as refusal:
        check(tmp_path)
    assert len(str(refusal.value)) < 400
    assert "\0" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"files": ' * 50_000, b"\xff\xfe", b"{}\0"])
def test_json_that_is_deep_or_no_text_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(DataError, match=r"manifest\.json is no manifest"):
        check(tmp_path)
