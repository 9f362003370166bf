"""What Compare live and See the data compute, apart from the page."""

import numpy as np
import pytest
import torch

from limpid.data.manifest import Manifest
from limpid.data.options import SynthesisOptions
from limpid.data.synthesise import synthesise
from limpid.errors import SettingError, UnknownNameError, UsageError
from limpid.evaluation.degradation_text import parse
from limpid.image.read import read
from limpid.layers.pixels import quantise
from limpid.layers.task import TASKS
from limpid.metrics.psnr import psnr
from limpid.runtime.separator import Separator
from limpid.web import data_sheets
from limpid.web.comparison import Degrading, Leaves, Results, compose, crop, leaves, panels, scene, scores, state
from web.web_samples import Darkening

CHART = leaves(Leaves(side=48))


def test_leaves_depend_on_their_seed_alone():
    assert torch.equal(leaves(Leaves(side=48)), CHART)
    assert not torch.equal(leaves(Leaves(side=48, seed=1)), CHART)
    assert not torch.equal(leaves(Leaves(side=48, seed=-1)), leaves(Leaves(side=48, seed=-1)))


def test_a_number_of_leaves_leaves_a_background():
    few = leaves(Leaves(side=48, count=3, radius=(2, 5), background=0.25))
    assert (few == 0.25).float().mean() > 0.5


def test_stretched_leaves_have_longer_edges_along_the_angle():
    flat = leaves(Leaves(side=64, anisotropy=8, angle=0))
    along, across = (flat.diff(dim=dim).abs().mean() for dim in (2, 1))
    assert across > 2 * along
    assert torch.allclose(leaves(Leaves(side=64, anisotropy=1, angle=30)), leaves(Leaves(side=64)))


@pytest.mark.parametrize(
    "wish",
    [
        Degrading(sigma=25),
        Degrading(half_sizes=(1, 2)),
        Degrading(shake=("small", 3), sigma=5),
        Degrading(quality=20),
        Degrading(mixture="glass", settings={"brightness": [4, 9]}, seed=3),
    ],
    ids=["noise", "gaussian", "shake", "jpeg", "reflection"],
)
def test_each_degradation_makes_it_worse_and_the_same_again(wish):
    found = scene(CHART, wish, CHART.flip(1))
    assert found.degraded.shape == found.truth.shape
    assert psnr(found.degraded, found.truth) < 45
    assert torch.equal(scene(CHART, wish, CHART.flip(1)).degraded, found.degraded)


def test_settings_of_a_reflection_are_checked():
    with pytest.raises(UnknownNameError, match="brightness"):
        scene(CHART, Degrading(mixture="glass", settings={"brightnes": [4, 9]}), CHART)


def test_a_result_is_computed_once():
    network = Darkening()
    separator, results, calls = Separator(network, TASKS["reflection"], name="dark"), Results(), []
    network.register_forward_hook(lambda *_: calls.append(1))
    first = results.of(separator, CHART)
    before = len(calls)
    assert torch.equal(results.of(separator, CHART), first)
    assert len(calls) == before
    assert scores(first, CHART)["PSNR"] < 20


def test_a_crop_follows_its_centre_and_stays_inside():
    picture = torch.arange(100.0).reshape(1, 10, 10).expand(3, -1, -1)
    assert crop(picture, (0, 0), 4)[0, 0, 0] == 0
    assert crop(picture, (1, 1), 4)[0, -1, -1] == 99
    assert crop(picture, (0.5, 0.5), 99).shape == picture.shape


@pytest.mark.parametrize(
    ("layout", "names", "across"),
    [
        ("degraded + restored", ["degraded", "a"], 2),
        ("+ truth", ["degraded", "a", "truth"], 3),
        ("+ kernel", ["degraded", "a", "truth", "kernel"], 4),
        ("2 × 2", ["degraded", "a", "truth", "kernel"], 2),
    ],
)
def test_layouts(layout, names, across):
    found = scene(CHART, Degrading(shake=("small", 0)))
    pictures, columns = panels(found, {"a": found.truth}, layout)
    assert (list(pictures), columns) == (names, across)
    assert compose(pictures, columns).shape[2] >= across * found.truth.shape[2]


@pytest.mark.parametrize(
    "degrading", [Degrading(), Degrading(sigma=10, shake=("small", 2)), Degrading(half_sizes=(1, 0), quality=50)]
)
def test_a_saved_state_is_a_manifest_that_makes_the_picture_again(tmp_path, degrading):
    wish = Leaves(side=40, seed=5, colours="saturated")
    saved = tmp_path / "state.json"
    saved.write_text(state(wish, degrading, ["limpid"]), encoding="utf-8")
    synthesise(SynthesisOptions(out=tmp_path / "again", manifest=saved, quiet=True))
    expected = scene(leaves(wish), degrading)
    folder, picture = (
        (tmp_path / "again", expected.truth) if not degrading.steps() else (tmp_path / "again" / "blended", expected.degraded)
    )
    assert np.array_equal(read(folder / "0000.png").pixels, quantise(picture, np.uint8))
    assert Manifest.read_file(saved).count == 1


def test_evaluate_degrades_as_the_saved_state_says(tmp_path):
    saved = tmp_path / "state.json"
    saved.write_text(state("photo", Degrading(sigma=15, shake=("mild", 7)), []), encoding="utf-8")
    (condition,) = parse([str(saved)], ())
    assert (condition.blur, condition.sigma) == ("mild.7", 15)
    clean = quantise(leaves(Leaves(side=64)), np.uint8)
    _, truth = condition.apply(clean, "item")
    blurred = scene(torch.from_numpy(clean).permute(2, 0, 1).float() / 255, Degrading(shake=("mild", 7)))
    assert torch.equal(truth, blurred.truth)


@pytest.mark.parametrize("content", ["", "[]", '{"degrade": []}', '{"models": []}'])
def test_a_file_that_is_no_state_is_refused(tmp_path, content):
    saved = tmp_path / "state.json"
    saved.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="state"):
        parse([str(saved)], ())


@pytest.mark.parametrize("kind", data_sheets.KINDS.values())
def test_a_sheet_of_everything_there_is(kind):
    for name in data_sheets.names(kind):
        if "1024" in name or "512" in name:
            continue
        picture = data_sheets.sheet(kind, name, {}, seed=0, count=2, side=64)
        assert picture.dtype == np.uint8
        assert picture.std() > 5


def test_settings_change_a_sheet_and_wrong_ones_are_told():
    draw = lambda settings: data_sheets.sheet("mixtures", "glass", settings, seed=1, count=1, side=64)  # noqa: E731
    assert not np.array_equal(draw({}), draw({"brightness": [20, 24]}))
    with pytest.raises(SettingError, match=r"glass\.brightness"):
        draw({"brightness": [9, 4]})


def test_controls_are_made_from_the_signature():
    pytest.importorskip("gradio")
    from limpid.web.controls import controls, defaults_of, settings

    for kind in data_sheets.KINDS.values():
        for name in data_sheets.names(kind):
            build = data_sheets.build_of(kind, name)
            made = controls(build, "x")
            values = [control.component.value for control in made]
            assert settings(made, values, defaults_of(build)) == {}, name
    build = data_sheets.build_of("mixtures", "glass")
    made = controls(build, "x")
    values = [9.0 if control.name == "brightness" else control.component.value for control in made]
    assert settings(made, values, defaults_of(build)) == {"brightness": [9.0, 9.0]}
