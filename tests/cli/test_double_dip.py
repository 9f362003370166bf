"""``limpid separate -m double_dip``: no weights, one photo; its scores, whichever layer is which."""

import json

import numpy as np
import pytest
from PIL import Image

from limpid.evaluation.methods import NetworkMethod
from limpid.runtime import double_dip
from limpid.runtime.load import load


def test_the_command_writes_layers_and_a_preview(limpid, tmp_path, monkeypatch):
    monkeypatch.setattr(double_dip, "WORKING", 96)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    preview = tmp_path / "best.png"
    done = limpid("separate", "-m", "double_dip", tmp_path / "x.png", "--steps", "2", "--preview", preview, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.reflection.png", "x.transmission.png"]
    assert Image.open(tmp_path / "out/x.reflection.png").size == (140, 100)
    assert Image.open(preview).size == (2 * 96, 69)


def test_ctrl_c_keeps_the_best_so_far(limpid, tmp_path, monkeypatch):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    steps = iter(range(100))

    def interrupted(first, second, *, levels=3):
        if next(steps) == 3:
            raise KeyboardInterrupt
        return first.mean() * 0

    monkeypatch.setattr(double_dip, "plain_exclusion", interrupted)
    preview = tmp_path / "best.png"
    done = limpid("separate", "-m", "double_dip", tmp_path / "x.png", "--preview", preview, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert "stopped in step 4; the best so far, of step" in done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.reflection.png", "x.transmission.png"]
    shown = np.asarray(Image.open(preview))
    np.testing.assert_array_equal(shown[:, :96], np.asarray(Image.open(tmp_path / "out/x.transmission.png")))


@pytest.fixture
def toys(tmp_path):
    """Two layers that make one photo, and outputs of a method that exchanged them."""
    rng = np.random.default_rng(1)
    one, two = (rng.integers(0, 256, (24, 32, 3), dtype=np.uint8) for _ in range(2))
    pictures = {"blended": (one // 2 + two // 2), "layer_1": one, "layer_2": two}
    for folder, picture in pictures.items():
        (tmp_path / "toys" / folder).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / "toys" / folder / "a.png")
    (tmp_path / "made").mkdir()
    for name, picture in (("layer_1", two), ("layer_2", one)):
        Image.fromarray(picture).save(tmp_path / "made" / f"a.{name}.png")
    return tmp_path / "toys"


def test_exchanged_layers_are_scored_in_the_better_order_when_asked_for(limpid, toys, tmp_path):
    words = ("--on", f"toys={toys}", "--outputs", f"dip={tmp_path / 'made'}", "--metrics", "psnr_permuted")
    done = limpid("evaluate", *words, "--report", tmp_path / "report")
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "report/results.json").read_text())
    scores = {score["model"]: score["values"] for score in found["scores"]}
    assert scores["dip"]["psnr_permuted"] == 100
    assert scores["dip"]["psnr_joint"] < 15
    assert scores["input"]["psnr_permuted"] == pytest.approx(
        (scores["input"]["psnr_joint"] + scores["input"]["psnr_joint_layer_2"]) / 2
    )


def test_a_method_without_weights_is_evaluated_as_networks_are(limpid, toys, tmp_path, monkeypatch):
    monkeypatch.setattr(
        double_dip, "fit_layers", lambda photo, **_: double_dip.Drawn(layers=(photo / 2, photo / 2), psnr=99.0, step=1)
    )
    done = limpid("evaluate", "-m", "double_dip", "--on", f"toys={toys}", "--report", tmp_path / "report")
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "report/results.json").read_text())
    assert not [score["error"] for score in found["scores"] if score["error"]]
    assert "double_dip: a method without weights" in json.dumps(found["models"])


def test_methods_without_weights_are_told_apart_by_what_remembers_scores():
    tasks = {"retinex": "intrinsic", "double_dip": "reflection"}
    separators = {name: load(name, "cpu", task=task) for name, task in tasks.items()}
    made = {NetworkMethod(one, name, resolution="full", budget=None, jobs=1).identity(None) for name, one in separators.items()}
    assert len(made) == 2
