"""See a run: what is read of a training folder while it fills."""

import numpy as np
import pytest
import torch

from limpid.training.sample_images import write_sample_images
from limpid.training.trackers import Table
from limpid.web.watch import Curve, changed, curves, drawing, pictures, runs, state


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    rows, epochs = Table(folder, "metrics", until=0), Table(folder, "epochs", until=0)
    for step in range(1, 901):
        rows.append({"step": step, "epoch": step // 300, "loss": 1 / step, "lr": None if step == 5 else 0.1, "seconds": 1.0})
    for epoch in (1, 2):
        epochs.append({"epoch": epoch, "step": 300 * epoch, "train/loss": 0.1, "val/psnr": 20.0 + epoch, "val/input_psnr": 18.0})
    photos = [("a", torch.rand(3, 700, 40)), ("b", torch.rand(3, 20, 30))]
    for epoch in (9, 10):
        write_sample_images(lambda photo, epoch=epoch: {"transmission": photo / epoch, "reflection": photo}, photos, folder, epoch)
    return folder


def test_curves_are_scores_then_losses_with_few_points(run):
    found = {curve.name: curve for curve in curves(run)}
    assert list(found) == ["val/psnr", "loss", "lr"]
    assert found["val/psnr"].points == [(300, 21.0), (600, 22.0)]
    assert found["val/psnr"].beside == [(300, 18.0), (600, 18.0)]
    assert len(found["loss"].points) == 300
    assert found["loss"].points[-1] == (900.0, pytest.approx(1 / 899, rel=1e-4))


def test_pictures_are_those_of_the_newest_epoch_and_small(run):
    (run / "epoch_0010/0001_a/half.png").write_bytes(b"\x89PNG half written")
    found = pictures(run)
    assert [caption for _, caption in found][:3] == ["0001_a: input", "0001_a: r_output", "0001_a: t_output"]
    assert {pixels.shape for pixels, _ in found} == {(512, 29, 3), (20, 30, 3)}
    assert found[2][0].mean() < np.mean(found[0][0]) / 5  # epoch 10, not 9


def test_runs_are_found_newest_first_and_a_run_is_its_own(run, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    Table(other, "metrics", until=0).append({"step": 1, "loss": 1.0})
    assert list(runs(tmp_path)) == ["other", "mine"]
    assert list(runs(run)) == ["mine"]
    assert runs(run / "epoch_0009") == {}


def test_the_state_in_words(run):
    assert state(run, changed(run) + 300) == "mine: epoch 3, step 900, written 5 min ago."
    assert "no row" in state(run / "epoch_0009", 0)


def test_a_drawing_says_its_numbers_and_holds_no_markup_of_names():
    text = drawing(Curve(name="<b>loss", points=[(1, 0.5), (2, 0.25)]))
    assert "&lt;b&gt;loss: 0.25; from 0.25 to 0.5" in text
    assert 'points="8.0,8.0 312.0,142.0"' in text
    assert drawing(Curve(name="flat", points=[(1, 2.0)])).count("polyline") == 1
