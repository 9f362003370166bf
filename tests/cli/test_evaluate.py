"""``limpid evaluate`` as people type it."""

import csv
import json
import math
import subprocess
import sys
import time
import unicodedata

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from evaluation.pair_sets import TABLE2, paired, photo, save
from exif_blocks import oriented
from limpid import catalogue, create_model, load
from limpid.checkpoints import file
from limpid.data.manifest import FileRecord, Manifest
from limpid.errors import UsageError
from limpid.evaluation.degradation_text import parse
from limpid.evaluation.methods import separator
from limpid.evaluation.options import EvaluateOptions
from limpid.image import formats
from limpid.layers.task import find_task
from photo_samples import UPRIGHT

GOLDEN = {"psnr": 14.9167, "ssim": 0.7537, "ncc": 0.7960, "lmse": 0.0211}


def results(folder):
    return json.loads((folder / "results.json").read_text())


def values(folder, model="input", metric="psnr"):
    """Item → value of one model."""
    return {score["item"]: score["values"].get(metric) for score in results(folder)["scores"] if score["model"] == model}


@pytest.fixture
def pairs(tmp_path):
    return paired(tmp_path / "pairs")


@pytest.mark.skipif(not TABLE2.is_dir(), reason="the CEILNet pairs are not here")
@pytest.mark.parametrize("place", ["table2={}", "{}"])
def test_the_untouched_input_scores_the_golden_values(limpid, tmp_path, place):
    ran = limpid("evaluate", "--on", place.format(TABLE2), "--report", tmp_path / "out")
    assert ran.code == 0
    with (tmp_path / "out" / "table.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert {name: round(float(row[name]), 4) for name in GOLDEN} == GOLDEN
    assert row["images"] == "100"
    assert sum(score["capped"].get("psnr", 0) for score in results(tmp_path / "out")["scores"]) == 1
    assert any("capped at 100 dB" in note for note in results(tmp_path / "out")["notes"])


@pytest.mark.skipif(not TABLE2.is_dir(), reason="the CEILNet pairs are not here")
def test_the_joint_protocol_scores_the_golden_value(limpid, tmp_path):
    limpid("evaluate", "--on", f"table2={TABLE2}", "--report", tmp_path, "--protocol", "wang", "-q")
    assert np.mean([*values(tmp_path, metric="psnr_joint").values()]).round(4) == 14.0657
    assert np.mean([*values(tmp_path, metric="ssim_gauss").values()]).round(4) == 0.7739


def test_all_files_are_written_and_the_input_is_the_first_row(limpid, tmp_path, pairs, tiny):
    ran = limpid("evaluate", "-m", f"net={tiny}", "--on", pairs, "--report", tmp_path / "out")
    assert ran.code == 0
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {"table.md", "table.csv", "per_image.csv", "table.tex", "results.json", "report.html", "traces"}
    assert [model["label"] for model in results(tmp_path / "out")["models"]] == ["input", "net"]
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("| pairs (3) | input"))
    assert "| net |" in lines[first + 1]
    assert "wins (PSNR)" in ran.out


def test_differences_that_wrap_in_eight_bits_are_not_small(limpid, tmp_path):
    # 0 against 240: an 8-bit square wraps to 0 (240² = 225 · 256), an 8-bit difference of 250 and 10 to 16
    save(tmp_path / "set" / "blended" / "a.png", np.full((32, 32, 3), 0, np.uint8))
    save(tmp_path / "set" / "transmission_layer" / "a.png", np.full((32, 32, 3), 240, np.uint8))
    limpid("evaluate", "--on", tmp_path / "set", "--report", tmp_path / "out", "-q")
    assert values(tmp_path / "out")["a"] == pytest.approx(-20 * math.log10(240 / 255), abs=1e-6)


def test_joint8_rounds_outputs_and_field_does_not(limpid, tmp_path, pairs):
    outputs = tmp_path / "outputs"
    truth = photo(0).astype(np.float64) / 255
    save(outputs / "a.png", (65535 * truth + 100).clip(0, 65535).round().astype(np.uint16))  # 100 of 65535: below half of 1/255
    common = ("evaluate", "--outputs", f"near={outputs}", "--on", pairs, "-n", 1, "-q", "--traces", "none", "--report")
    limpid(*common, tmp_path / "rounded", "--protocol", "joint8")
    limpid(*common, tmp_path / "kept", "--protocol", "field")
    assert values(tmp_path / "rounded", "near", "psnr_joint")["a"] == 100
    assert values(tmp_path / "kept", "near")["a"] == pytest.approx(-20 * math.log10(100 / 65535), abs=0.3)


def test_outputs_of_another_size_are_an_error_and_the_rest_is_kept(limpid, tmp_path, pairs):
    outputs = tmp_path / "outputs"
    for place, name in enumerate("abc"):
        save(outputs / f"{name}.png", photo(place, (48, 40) if name != "b" else (40, 32)))
    ran = limpid("evaluate", "--outputs", f"theirs={outputs}", "--on", pairs, "--report", tmp_path / "out", "-q")
    assert ran.code == 1
    (line,) = ran.err.strip().splitlines()
    assert str(outputs / "b.png") in line
    assert "32×40" in line
    assert "nothing is resized" in line
    found = values(tmp_path / "out", "theirs")
    assert (found["a"], found["b"], found["c"]) == (100, None, 100)
    assert any("1 of 3 images failed" in note for note in results(tmp_path / "out")["notes"])


def test_a_missing_output_is_one_line_that_names_it(limpid, tmp_path, pairs):
    save(tmp_path / "outputs" / "a.png", photo(0))
    ran = limpid(
        "evaluate", "--outputs", f"theirs={tmp_path / 'outputs'}", "--on", pairs, "-n", 2, "--report", tmp_path / "out", "-q"
    )
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert f"{tmp_path / 'outputs' / 'b.png'} is missing" in ran.err
    assert values(tmp_path / "out")["b"] is not None


def exact(limpid, tmp_path, root):
    """PSNR of the inputs of a set, taken as outputs, by item."""
    ran = limpid(
        "evaluate", "--outputs", f"x={root / 'blended'}", "--on", root, "--report", tmp_path / "out", "--traces", "all", "-q"
    )
    return ran, values(tmp_path / "out", "x")


@pytest.mark.parametrize("extension", ["ppm", "jfif", "tif", "bmp", "webp"])
def test_outputs_and_truths_of_any_format_are_read(limpid, tmp_path, extension):
    for layer in ("blended", "transmission_layer"):
        (tmp_path / "set" / layer).mkdir(parents=True)
        Image.fromarray(photo(0)).save(tmp_path / "set" / layer / f"a.{extension}")
    ran, psnr = exact(limpid, tmp_path, tmp_path / "set")
    assert (ran.code, psnr) == (0, {"a": 100})


def test_pairs_in_folders_below_and_of_either_spelling_of_accents_are_scored(limpid, tmp_path):
    root = tmp_path / "set"
    for layer, form in (("blended", "NFC"), ("transmission_layer", "NFD")):
        for seed, name in enumerate(("s1/a", "s2/a", "s1_a", "é")):
            save(root / layer / f"{unicodedata.normalize(form, name)}.png", photo(seed))
    ran, psnr = exact(limpid, tmp_path, root)
    assert (ran.code, psnr) == (0, dict.fromkeys(["s1/a", "s1_a", "s2/a", "é"], 100))
    traces = [score["traces"]["output"] for score in results(tmp_path / "out")["scores"] if score["model"] == "x"]
    assert len({*traces}) == 4
    assert all((tmp_path / "out" / place).is_file() for place in traces)


@pytest.mark.parametrize(("kind", "settings"), [("jpg", {"quality": 95, "subsampling": 0}), ("png", {}), ("tif", {})])
@pytest.mark.parametrize("integer", [3, 4])
def test_photos_that_were_turned_are_scored_upright(limpid, tmp_path, kind, settings, integer):
    root = tmp_path / "set"
    save(root / "transmission_layer/a.png", photo(0))
    stored = Image.fromarray(photo(0)).transpose(UPRIGHT[6])
    turned = {"tiffinfo": {274: 6}} if kind == "tif" else {"exif": b"Exif\0\0" + oriented("<", 6, integer)}
    (root / "blended").mkdir()
    stored.save(root / f"blended/a.{kind}", **settings, **turned)
    ran, psnr = exact(limpid, tmp_path, root)
    assert ran.code == 0, ran.err
    assert psnr["a"] == 100 if kind != "jpg" else psnr["a"] > 35


def test_a_photo_that_is_not_read_here_is_one_line_and_the_other_images_count(limpid, tmp_path, pairs, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    (pairs / "blended" / "d.heic").write_bytes(b"x")
    ran = limpid("evaluate", "--on", pairs, "--report", tmp_path / "out")
    assert ran.code == 1
    assert "d.heic is of a kind that is not read here (HEIC)" in ran.err
    assert len(values(tmp_path / "out")) >= 3


def test_a_missing_partner_is_one_line_and_the_other_images_count(limpid, tmp_path, pairs):
    (pairs / "transmission_layer" / "b.png").unlink()
    ran = limpid("evaluate", "--on", pairs, "--report", tmp_path / "out", "-q")
    assert ran.code == 1
    (line,) = ran.err.strip().splitlines()
    assert f"{pairs / 'blended' / 'b.png'} has no partner in transmission_layer/" in line
    assert {item for item, value in values(tmp_path / "out").items() if value is not None} == {"a", "c"}


def test_a_truncated_image_is_one_line_and_the_other_images_count(limpid, tmp_path, pairs, tiny):
    broken = pairs / "blended" / "c.png"
    broken.write_bytes(broken.read_bytes()[:400])
    ran = limpid("evaluate", "-m", f"net={tiny}", "--on", pairs, "--report", tmp_path / "out", "-q")
    assert ran.code == 1
    (line,) = ran.err.strip().splitlines()
    assert str(broken) in line
    assert values(tmp_path / "out", "net")["a"] is not None


def test_the_options_that_messages_name_are_there(limpid, tmp_path, pairs):
    broken = pairs / "blended" / "c.png"
    broken.write_bytes(broken.read_bytes()[:-800])
    common = ("evaluate", "--on", pairs, "--report", tmp_path / "out", "-q", "--traces", "none")
    refused = limpid(*common)
    assert "--allow-truncated" in refused.err
    assert limpid(*common, "--allow-truncated").code == 0
    assert values(tmp_path / "out")["c"] is not None
    small = limpid(*common, "--max-pixels", 100)
    assert "raise it with --max-pixels" in small.err
    assert small.code == 1


def test_a_pair_of_two_sizes_is_one_line(limpid, tmp_path, pairs):
    save(pairs / "transmission_layer" / "a.png", photo(0, (50, 40)))
    ran = limpid("evaluate", "--on", pairs, "--report", tmp_path / "out", "-q")
    assert ran.code == 1
    assert f"{pairs / 'blended' / 'a.png'} differs in size" in ran.err
    assert values(tmp_path / "out")["b"] is not None


def test_an_empty_set_and_misspelt_names_stop_before_anything_is_written(limpid, tmp_path, pairs):
    (tmp_path / "empty" / "blended").mkdir(parents=True)
    wishes = {
        ("--on", tmp_path / "empty"): "holds no pairs; expected photos in blended/",
        ("--on", pairs, "--protocol", "feild"): "did you mean 'field'?",
        ("--on", pairs, "--size-rule", "flor32"): "did you mean 'floor32'?",
        ("--on", pairs, "--metrics", "psnrr"): "did you mean 'psnr'?",
        ("--on", "tabel2"): "did you mean 'table2'?",
        ("--on", pairs, "--outputs", f"x={tmp_path / 'nowhere'}"): "there is no such folder",
        ("--on", pairs, "-m", "input=x.pt"): "'input' names the untouched input",
        ("--suite", "sirrr"): "did you mean 'sirr'?",
        (): "name what to evaluate on",
    }
    for options, says in wishes.items():
        ran = limpid("evaluate", *options, "--report", tmp_path / "out", "-q")
        assert ran.code in (1, 2), options
        assert len(ran.err.strip().splitlines()) == 1
        assert says in ran.err
    assert not (tmp_path / "out").exists()


def test_a_second_run_computes_the_new_model_alone(limpid, tmp_path, pairs, tiny):
    limpid("evaluate", "-m", f"one={tiny}", "--on", pairs, "--report", tmp_path / "out", "-q")
    before = (tmp_path / "out" / "scores.jsonl").read_text().splitlines()
    assert len(before) == 6
    outputs = tmp_path / "outputs"
    for place, name in enumerate("abc"):
        save(outputs / f"{name}.png", photo(place))
    ran = limpid(
        "evaluate", "-m", f"again={tiny}", "--outputs", f"two={outputs}", "--on", f"set={pairs}", "--report", tmp_path / "out"
    )
    after = (tmp_path / "out" / "scores.jsonl").read_text().splitlines()
    assert after[:6] == before
    assert {json.loads(line)["model"] for line in after[6:]} == {"two"}
    assert "6 scores are known already, 3 are to be computed" in ran.err
    assert values(tmp_path / "out", "again").keys() == {"a", "b", "c"}


def test_what_decides_a_score_makes_it_be_computed_again(limpid, tmp_path, pairs):
    common = ("evaluate", "--on", pairs, "--report", tmp_path / "out", "-q")
    limpid(*common)
    save(pairs / "blended" / "a.png", photo(7))
    limpid(*common)
    limpid(*common, "--size-rule", "floor32")
    limpid(*common, "--protocol", "wang")
    assert len((tmp_path / "out" / "scores.jsonl").read_text().splitlines()) == 3 + 1 + 3 + 3


def test_a_killed_run_goes_on_where_it_was(tmp_path, tiny):
    pairs = paired(tmp_path / "pairs", [f"{number:02d}" for number in range(12)], size=(96, 96))
    command = [
        sys.executable,
        "-m",
        "limpid",
        "evaluate",
        "-m",
        f"net={tiny}",
        "--on",
        str(pairs),
        "--report",
        str(tmp_path / "out"),
    ]
    kept = tmp_path / "out" / "scores.jsonl"
    with subprocess.Popen([*command, "-q"]) as killed:
        while not kept.exists() or kept.read_bytes().count(b"\n") < 4:
            time.sleep(0.01)
        killed.kill()
    lines = kept.read_bytes().count(b"\n")
    assert lines < 24
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert f"{lines} scores are known already, {24 - lines} are to be computed" in again.stderr
    assert kept.read_bytes().count(b"\n") in (24, 25)  # a line that was cut short stays as it is


def test_any_number_of_jobs_gives_the_same_scores(limpid, tmp_path, pairs, tiny):
    common = ("evaluate", "-m", f"net={tiny}", "--on", pairs, "-q", "--traces", "none", "--report")
    limpid(*common, tmp_path / "one")
    ran = limpid(*common, tmp_path / "three", "--jobs", 3)
    assert ran.code == 0
    for model in ("input", "net"):
        for metric in ("psnr", "ssim", "ncc", "lmse"):
            assert values(tmp_path / "one", model, metric) == values(tmp_path / "three", model, metric)


FORKED = """
import sys
import cv2, numpy as np
cv2.setNumThreads(2)
cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (9, 9), 3)  # starts threads that a fork does not copy
from limpid.cli.main import main
sys.argv[0] = "limpid"
main()
"""


def test_jobs_are_forked_from_a_process_that_has_used_threads(tmp_path, pairs, tiny):
    words = ("evaluate", "-m", f"net={tiny}", "--on", pairs, "-q", "--traces", "none", "--report", tmp_path / "out", "--jobs", 3)
    done = subprocess.run([sys.executable, "-c", FORKED, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(values(tmp_path / "out", "net", "psnr")) == 3


def test_the_network_scores_what_limpid_separate_writes(limpid, tmp_path, pairs, tiny):
    limpid("separate", pairs / "blended", "-m", tiny, "-o", tmp_path / "outputs", "--layers", "T", "--precision", "float32", "-q")
    limpid("evaluate", "-m", f"net={tiny}", "--outputs", f"files={tmp_path / 'outputs'}", "--on", pairs, "--protocol", "joint8",
           "--precision", "float32", "--report", tmp_path / "out", "-q")  # fmt: skip
    assert values(tmp_path / "out", "net", "psnr_joint") == pytest.approx(values(tmp_path / "out", "files", "psnr_joint"), abs=1e-9)


def test_n_limits_the_images_and_says_so(limpid, tmp_path, pairs):
    ran = limpid("evaluate", "--on", pairs, "-n", 2, "--report", tmp_path / "out")
    assert values(tmp_path / "out").keys() == {"a", "b"}
    assert "only the first 2 of 3 images were used" in ran.err


@pytest.mark.parametrize(("options", "kept"), [("all", 3), ("worst", 3), ("none", 0)])
def test_traces_are_what_was_compared(limpid, tmp_path, pairs, tiny, options, kept):
    limpid("evaluate", "-m", f"net={tiny}", "--on", pairs, "--traces", options, "--report", tmp_path / "out", "-q")
    traced = [score for score in results(tmp_path / "out")["scores"] if score["traces"] and score["model"] == "net"]
    assert len(traced) == kept
    for score in traced:
        files = {role: cv2.imread(str(tmp_path / "out" / name)) for role, name in score["traces"].items()}
        assert files.keys() == {"input", "output", "truth"}
        assert np.array_equal(files["truth"], cv2.imread(str(pairs / "transmission_layer" / f"{score['item']}.png")))
        error = np.mean((files["output"].astype(float) - files["truth"]) ** 2, axis=(0, 1))
        assert np.mean(10 * np.log10(255**2 / error)) == pytest.approx(score["values"]["psnr"], abs=0.1)


def test_a_limit_that_a_photo_does_not_fit_is_one_line(limpid, tmp_path, pairs):
    ran = limpid("evaluate", "--on", pairs, "-n", 1, "--max-memory", "100KB", "--report", tmp_path / "out", "-q")
    assert ran.code == 1
    (line,) = ran.err.strip().splitlines()
    assert str(pairs / "blended" / "a.png") in line
    assert "raise --max-memory" in line


def test_noise_curves_have_the_psnr_of_their_strength(limpid, tmp_path):
    tiny, network = tmp_path / "tiny.safetensors", create_model("nafnet", "tiny")
    settings = catalogue.find("models", "nafnet").sizes["tiny"]
    file.save(tiny, file.Checkpoint(model="nafnet", settings=settings, tensors=network.state_dict(), notes={}))
    for place in range(2):
        grey = np.full((64, 64, 3), 128, np.uint8)
        save(tmp_path / "photos" / f"{place}.png", grey)
    ran = limpid("evaluate", "-m", f"net={tiny}", "--on", tmp_path / "photos", "--degrade", "noise:sigma=5,10", "--crop", 48,
                 "--protocol", "wang", "--report", tmp_path / "out")  # fmt: skip
    assert ran.code == 0
    scores = [score for score in results(tmp_path / "out")["scores"] if score["model"] == "input"]
    assert [score["conditions"] for score in scores] == [{"noise": 5.0}] * 2 + [{"noise": 10.0}] * 2
    assert all(score["size"] == [48, 48] for score in scores)
    for score in scores:
        expected = 20 * math.log10(255 / score["conditions"]["noise"])
        assert score["values"]["psnr_joint"] == pytest.approx(expected, abs=0.3)


def test_blur_by_class_grows_worse(limpid, tmp_path):
    save(
        tmp_path / "photos" / "a.png",
        cv2.resize(np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8), (120, 120)),
    )
    limpid("evaluate", "--on", tmp_path / "photos", "--degrade", "blur:kernels=small,mild,big", "--report", tmp_path / "out", "-q")
    scores = {score["conditions"]["blur"]: score["values"]["psnr_joint"] for score in results(tmp_path / "out")["scores"]}
    assert scores["small"] > scores["mild"] > scores["big"]


def test_the_suite_names_its_sets_and_skips_what_is_absent(limpid, tmp_path):
    paired(tmp_path / "data" / "r20")
    paired(tmp_path / "data" / "wild", ["x", "y"])
    files = {f"blended/{name}.png": FileRecord(size=(48, 40), sha256="") for name in "abc"}
    Manifest(set="real20", variant="420", count=3, files=files).write(tmp_path / "data" / "r20")
    (tmp_path / "roots.yaml").write_text("real20: data/r20\nsir2_wild: data/wild\nnature: nowhere\n")
    ran = limpid("evaluate", "--suite", "sirr", "--roots", tmp_path / "roots.yaml", "--report", tmp_path / "out")
    assert ran.code == 0
    for says in (
        "table2: 100",
        "real20: 20; variants native, short512, 420",
        "postcard: 199 or 200 or 198 or 179",
        "wild: 55 or 101",
    ):
        assert says in ran.out
    assert [info["label"] for info in results(tmp_path / "out")["sets"]] == ["real20/420", "wild"]
    for says in (
        "nature (20; variants train, test) is absent",
        "table2 (100) is absent",
        "real20/420: it holds 3 images; published",
    ):
        assert says in ran.err
    table = (tmp_path / "out" / "table.md").read_text()
    assert "DSRNet" not in table  # it printed figures of 20 and 55 images
    assert "mean by image over real20/420, wild (5)" in table
    assert "mean by set over real20/420, wild (5)" in table


@pytest.fixture
def denoiser(tmp_path):
    """A checkpoint of a tiny NAFNet, every branch of which does something, so that it leaves 0…1."""
    network = create_model("nafnet", "tiny")
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("beta", "gamma")):
                parameter.fill_(1.0)
    settings = catalogue.find("models", "nafnet").sizes["tiny"]
    path = tmp_path / "nafnet.safetensors"
    file.save(path, file.Checkpoint(model="nafnet", settings=settings, tensors=network.state_dict(), notes={}))
    return path


def test_rstors_protocol_measures_what_a_network_answers(limpid, tmp_path, denoiser):
    save(tmp_path / "photos" / "a.png", np.full((64, 64, 3), 250, np.uint8))
    common = ("evaluate", "-m", f"net={denoiser}", "--on", tmp_path / "photos", "--degrade", "noise:sigma=50", "-q", "--report")
    limpid(*common, tmp_path / "raw", "--protocol", "rstor", "--precision", "float32")
    (condition,) = parse(["noise:sigma=50"], [])
    noisy, truth = condition.apply(np.full((64, 64, 3), 250, np.uint8), "a")
    answer = load(denoiser, precision="float32").network(noisy[None]).restored[0].detach()
    assert float((answer - answer.clamp(0, 1)).abs().max()) > 0.05
    for model, layer in (("input", noisy), ("net", answer)):
        expected = -10 * math.log10(float((layer - truth).square().mean()))
        assert values(tmp_path / "raw", model, "psnr_joint_unclamped")["a"] == pytest.approx(expected, abs=1e-3)
        assert values(tmp_path / "raw", model, "ssim_gauss_unclamped")["a"] is not None
    limpid(*common, tmp_path / "rounded", "--precision", "float32")
    assert (
        values(tmp_path / "rounded", "net", "psnr_joint")["a"] > values(tmp_path / "raw", "net", "psnr_joint_unclamped")["a"] + 0.01
    )


def test_outputs_of_other_code_may_leave_the_range_under_rstors_protocol(limpid, tmp_path):
    truth = photo(0)
    save(tmp_path / "photos" / "a.png", truth)
    (tmp_path / "outputs" / "noise-5").mkdir(parents=True)
    tifffile.imwrite(tmp_path / "outputs" / "noise-5" / "a.tif", 1.2 * truth.astype(np.float32) / 255 - 0.1, photometric="rgb")
    limpid("evaluate", "--outputs", f"x={tmp_path / 'outputs'}", "--on", tmp_path / "photos", "--degrade", "noise:sigma=5",
           "--protocol", "rstor", "-q", "--report", tmp_path / "out")  # fmt: skip
    expected = -10 * np.log10(np.mean((0.2 * truth / 255 - 0.1) ** 2))
    assert values(tmp_path / "out", "x", "psnr_joint_unclamped")["a"] == pytest.approx(expected, abs=1e-3)


def test_charts_are_measured_without_a_file(limpid, tmp_path, denoiser):
    command = ("evaluate", "-m", f"net={denoiser}", "--on", "dead_leaves_live:side=32:seed=5", "-n", 2,
               "--degrade", "noise:sigma=10", "--protocol", "wang", "--report", tmp_path / "out")  # fmt: skip
    assert limpid(*command).code == 0
    assert [info["label"] for info in results(tmp_path / "out")["sets"]] == ["dead_leaves_live-side-32-seed-5"]
    assert values(tmp_path / "out").keys() == {"00000", "00001"}
    assert values(tmp_path / "out", "input", "psnr_joint")["00000"] == pytest.approx(20 * math.log10(25.5), abs=1)
    first = next(score for score in results(tmp_path / "out")["scores"] if score["model"] == "net")
    assert {role for role, name in first["traces"].items() if (tmp_path / "out" / name).is_file()} == {"input", "output", "truth"}
    again = limpid(*command)
    assert "4 scores are known already, 0 are to be computed" in again.err


def test_charts_that_fail_are_named(limpid, tmp_path):
    ran = limpid("evaluate", "--on", "dead_leaves_live:charts=1:side=16", "--degrade", "noise:sigma=10", "--crop", 64,
                 "--report", tmp_path / "out", "-q")  # fmt: skip
    assert ran.code == 1
    assert "dead_leaves_live-charts-1-side-16 00000 is 16×16, too small for a crop of 64×64" in ran.err


def test_the_suite_of_restoration_adds_noise_and_takes_blur_as_it_is(limpid, tmp_path, denoiser):
    save(tmp_path / "data" / "kodak" / "kodim01.png", photo(0, (512, 520)))
    paired(tmp_path / "data" / "gopro", ["GOPR0384_11_00-000001"])
    (tmp_path / "roots.yaml").write_text("kodak24: data/kodak\ngopro: data/gopro\n")
    common = ("evaluate", "--suite", "restoration", "--roots", tmp_path / "roots.yaml", "--report", tmp_path / "out")
    ran = limpid(*common, "-m", f"net={denoiser}", "--traces", "none")
    assert ran.code == 0, ran.err
    assert "kodak24: 24; variants full, crop500; noise:sigma=15,25,50, centre crops of 500" in ran.out
    assert "urban100 (100; noise:sigma=15,25,50) is absent" in ran.err
    assert "kodak24: centre crops of 500×500 pixels" in ran.err
    found = [(score["set"], score["conditions"], score["size"]) for score in results(tmp_path / "out")["scores"][::2]]
    assert found == [("kodak24", {"noise": sigma}, [500, 500]) for sigma in (15.0, 25.0, 50.0)] + [("gopro", {}, [48, 40])]
    assert {model["label"] for model in results(tmp_path / "out")["models"]} == {"input", "net"}
    assert "psnr_y" not in {metric["name"] for metric in results(tmp_path / "out")["metrics"]}
    for more, says in (
        (("--degrade", "noise:sigma=5"), "says itself how photos are degraded"),
        (("-m", "default"), "these sets measure denoise and deblur, which have defaults of their own"),
    ):
        refused = limpid(*common, *more, "-q")
        assert refused.code == 2
        assert says in refused.err


def test_a_set_of_the_suite_brings_the_measures_of_its_published_figures(limpid, tmp_path):
    for name in ("gopro", "realblur"):
        paired(tmp_path / "data" / name, ["scene001_blur_1"])
    (tmp_path / "roots.yaml").write_text("gopro: data/gopro\nrealblur: data/realblur\n")
    ran = limpid("evaluate", "--suite", "restoration", "--roots", tmp_path / "roots.yaml", "--report", tmp_path / "out", "-q")
    assert ran.code == 0, ran.err
    names = [metric["name"] for metric in results(tmp_path / "out")["metrics"]]
    assert names[-2:] == ["psnr_y", "ssim_y"]


def test_a_network_of_one_of_two_tasks_is_loaded_for_that_one():
    tasks = tuple(map(find_task, ("denoise", "deblur")))
    for name, task in (("limpid_denoise", "denoise"), ("limpid_deblur", "deblur")):
        assert separator(EvaluateOptions(), tasks, name).task.name == task
    with pytest.raises(UsageError, match="does reflection, not deblur"):
        separator(EvaluateOptions(), tasks, "limpid")


def test_a_misspelt_set_in_the_roots_gets_the_nearest(limpid, tmp_path):
    (tmp_path / "roots.yaml").write_text("reel20: data\n")
    ran = limpid("evaluate", "--suite", "sirr", "--roots", tmp_path / "roots.yaml", "-q")
    assert ran.code == 2
    assert "did you mean 'real20'?" in ran.err


def test_size_rules_resize_both_as_pillow_does(limpid, tmp_path, pairs):
    from PIL import Image

    limpid("evaluate", "--on", pairs, "--size-rule", "floor32", "--report", tmp_path / "out", "-q")
    small = [
        np.asarray(Image.open(pairs / layer / "a.png").resize((32, 32), Image.Resampling.BICUBIC), dtype=float)
        for layer in ("blended", "transmission_layer")
    ]
    expected = np.mean(10 * np.log10(255**2 / np.mean((small[0] - small[1]) ** 2, axis=(0, 1))))
    assert values(tmp_path / "out")["a"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("way", ["environment", "data.yaml"])
def test_a_set_by_name_alone_is_where_this_machine_keeps_it(limpid, tmp_path, pairs, monkeypatch, way):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    missing = limpid("evaluate", "--on", "real20", "--report", tmp_path / "out", "-q")
    assert missing.code == 2
    assert "write --on real20=DIR" in missing.err
    if way == "environment":
        monkeypatch.setenv("REAL20", str(pairs))
    else:
        (tmp_path / "config" / "limpid").mkdir(parents=True)
        (tmp_path / "config" / "limpid" / "data.yaml").write_text(f"REAL20: {pairs}\n")
    assert limpid("evaluate", "--on", "real20", "--report", tmp_path / "out", "-q").code == 0
    assert results(tmp_path / "out")["sets"][0]["name"] == "real20"


def test_without_the_libraries_of_the_report_the_rest_is_written(limpid, tmp_path, pairs, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ran = limpid("evaluate", "--on", pairs, "--report", tmp_path / "out")
    assert ran.code == 0
    assert "report.html is not written" in ran.err
    assert "limpid[evaluate]" in ran.err
    assert (tmp_path / "out" / "table.csv").is_file()
