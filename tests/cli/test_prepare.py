import json
import shutil

import pytest

from limpid.data.sets.berkeley_real import TEST
from pictures import picture


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def raw(tmp_path):
    """A miniature of Zhang's real photos, the 20 of the test split and two more."""
    for number, stem in enumerate(sorted({*TEST, "1", "2"})):
        for place, layer in enumerate(("blended", "transmission_layer")):
            picture(tmp_path / "raw/real" / layer / f"{stem}.jpg", size=(24, 16), seed=2 * number + place)
    return tmp_path / "raw"


def test_a_download_is_laid_out_and_checks_out(limpid, tmp_path, raw):
    before = files(raw)
    done = limpid("prepare", "berkeley_real", raw, tmp_path / "out", "--variant", "test")
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / 'out'}: wrote berkeley_real/test (20), 40 files\n"
    assert sorted(path.stem for path in (tmp_path / "out/blended").iterdir()) == sorted(TEST)
    assert files(raw) == before
    checked = limpid("prepare", "--check", tmp_path / "out")
    assert (checked.code, checked.out) == (0, f"{tmp_path / 'out'}: 40 files are whole as berkeley_real/test (20)\n")


def test_a_zip_is_laid_out_alike(limpid, tmp_path, raw):
    shutil.make_archive(str(tmp_path / "download"), "zip", raw)
    for name, source in (("one", raw), ("two", tmp_path / "download.zip")):
        assert limpid("prepare", "berkeley_real", source, tmp_path / name, "--variant", "test").code == 0
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_second_run_says_that_there_is_nothing_to_do(limpid, tmp_path, raw):
    words = ("prepare", "berkeley_real", raw, tmp_path / "out", "--variant", "test")
    limpid(*words)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = limpid(*words)
    assert again.code == 0
    assert "nothing to do: it is berkeley_real/test (20)" in again.out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == times


def test_check_reports_a_corrupt_photo_by_its_name(limpid, tmp_path, raw):
    limpid("prepare", "berkeley_real", raw, tmp_path / "out", "--variant", "test")
    victim = tmp_path / "out/blended/9.jpg"
    victim.write_bytes(victim.read_bytes()[:99])
    done = limpid("prepare", "--check", tmp_path / "out")
    assert done.code == 1
    (line,) = done.lines
    assert line.startswith(f"{victim} has changed (its SHA-256 is not the one in the manifest) and is cut short (99 bytes)")
    assert "1 of 40 files" in done.err
    again = limpid("prepare", "berkeley_real", raw, tmp_path / "out", "--variant", "test")
    assert again.code == 1
    assert "not whole any more" in again.err


def test_check_serves_any_folder_of_photos_and_synthesised_sets(limpid, tmp_path):
    picture(tmp_path / "flat/a.png")
    assert limpid("prepare", "--check", tmp_path / "flat").out == f"{tmp_path / 'flat'}: 1 files are whole\n"
    (tmp_path / "flat/b.png").write_bytes(b"")
    assert f"{tmp_path / 'flat/b.png'} is cut short" in limpid("prepare", "--check", tmp_path / "flat").out
    limpid("synthesise", "kernels", tmp_path / "kernels", "--count", 2, "--sheet")
    assert "2 files are whole as kernels (2)" in limpid("prepare", "--check", tmp_path / "kernels").out
    (tmp_path / "kernels/kernels.npz").write_bytes(b"PK")
    assert "kernels.npz has changed" in limpid("prepare", "--check", tmp_path / "kernels").out


def test_a_corrupt_photo_in_the_download_is_named_and_nothing_is_written(limpid, tmp_path, raw):
    (raw / "real/transmission_layer/9.jpg").write_bytes(b"<html>")
    done = limpid("prepare", "berkeley_real", raw, tmp_path / "out", "--variant", "test")
    assert done.code == 1
    assert "9.jpg cannot be decoded" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_the_list_names_sets_variants_and_sources(limpid):
    done = limpid("prepare", "--list")
    assert done.code == 0
    assert "real20 (native, short512, 420): reflection; " in done.out
    assert "dead_leaves_saved (randomrgb_1024, div2k_1024, div2k_512, primitives_div2k_512): denoise, deblur; " in done.out
    assert "dead_leaves_live" not in done.out  # nothing to prepare there
    assert len(done.lines) >= 18
    kodak = done.lines.index(next(line for line in done.lines if line.startswith("kodak24 (")))
    assert [line.split(maxsplit=1) for line in done.lines[kodak + 1 : kodak + 4]] == [
        ["images", "24 of 768×512 (full), 24 of 500×500 (crop500)"],
        ["licence", "released for unrestricted use"],
        ["home", "https://r0k.us/graphics/kodak/"],
    ]


def test_settings_reach_the_set(limpid, tmp_path, raw):
    shutil.rmtree(raw)
    for index in range(3):
        picture(raw / "deadleaves_div2k_512" / f"{index:04d}.png", size=(512, 512), seed=index)
    words = ("prepare", "dead_leaves_saved", raw, tmp_path / "out")
    short = limpid(*words)
    assert short.code == 1
    assert "the count is 3; expected 4000 items" in short.err
    assert limpid(*words, "--set", "count=3").code == 0
    assert json.loads((tmp_path / "out/manifest.json").read_text())["count"] == 3


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gopro", "1,111 (test), 2,103 (train)"),
        ("real20", "20"),
        ("sir2_wild", "55 or 101 or 52"),
        ("voc224", "15,287"),
        ("rrw", "any number"),
        ("openrr_5k", "300 (valid), 5,000 (train), 100 (test)"),
    ],
)
def test_the_list_counts_every_variant(limpid, name, says):
    lines = limpid("prepare", "--list").lines
    place = next(place for place, line in enumerate(lines) if line.startswith((f"{name}:", f"{name} (")))
    assert lines[place + 1].split(maxsplit=1)[1].replace(" of 1280×720", "") == says


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give SET RAW OUT"),
        (["real20", "raw"], "expected SET RAW OUT"),
        (["--list", "--check", "raw"], "give SET RAW OUT, or --check DIR, or --list"),
        (["--check", "raw", "--variant", "test"], "give SET RAW OUT, or --check DIR, or --list"),
        (["--check", "nowhere"], "nowhere is no folder"),
        (["reel20", "raw", "out"], "did you mean 'real20'"),
        (["berkeley_real", "raw", "out", "--variant", "tests"], "did you mean 'test'"),
        (["berkeley_real", "raw", "out", "--set", "varient=test"], "did you mean 'variant'"),
        (["dead_leaves_saved", "raw", "out", "--variant", "div2k512"], "did you mean 'div2k_512'"),
        (["dead_leaves_saved", "raw", "out", "--set", "count=many"], "count of dead_leaves_saved"),
        (["voc224", "raw", "out"], "--set names="),
        (["dead_leaves_live", "raw", "out"], "made on the fly"),
        (["berkeley_real", "nowhere", "out"], "does not exist"),
        (["berkeley_real", "raw", "raw/out"], "never written to"),
        (["berkeley_real", "raw", "out"], "the count is 2"),
        (["berkeley_real", "raw", "full", "--variant", "test"], "is no prepared set"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_leaves_nothing(limpid, tmp_path, monkeypatch, raw, words, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("years of work")
    before = files(tmp_path)
    done = limpid("prepare", *words)
    assert done.code in (1, 2)
    assert says in done.err
    assert done.err.count("\n") == 1
    assert files(tmp_path) == before
