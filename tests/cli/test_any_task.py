"""Albedo and shading are prepared, trained and evaluated as T and R are; networks and protocols follow the set's task."""

import json

import cv2
import numpy as np
import pytest
import torch

from evaluation.pair_sets import photo, save
from limpid import catalogue, create_model
from limpid.checkpoints import file

SIZE = (48, 64)


def layers_of(seed):
    """Flat albedo, smooth shading, their product: uint8."""
    draw = np.random.default_rng(seed)
    albedo = cv2.resize(draw.integers(60, 256, (4, 5, 3), dtype=np.uint8), SIZE[::-1], interpolation=cv2.INTER_NEAREST)
    shading = cv2.resize(draw.integers(80, 256, (3, 3), dtype=np.uint8), SIZE[::-1])[..., None].repeat(3, 2)
    return albedo, shading, (albedo / 255.0 * shading).round().astype(np.uint8)


@pytest.fixture
def sintel(tmp_path, limpid):
    """A miniature of MPI-Sintel's layout, prepared by the command."""
    for frame in range(4):
        for name, picture in zip(("albedo", "shading", "clean"), layers_of(frame), strict=True):
            save(tmp_path / "raw" / "training" / name / "alley_1" / f"frame_000{frame}.png", picture)
    done = limpid("prepare", "mpi_sintel", tmp_path / "raw", tmp_path / "sintel", "--set", "counts=[4]")
    assert done.code == 0, done.err
    return tmp_path / "sintel"


@pytest.fixture
def usi3d(tmp_path):
    """A USI3D checkpoint with random weights."""
    torch.manual_seed(0)
    settings = catalogue.find("models", "usi3d").sizes["tiny"]
    path = tmp_path / "usi3d.safetensors"
    tensors = create_model("usi3d", "tiny").state_dict()
    file.save(path, file.Checkpoint(model="usi3d", settings=settings, tensors=tensors, notes={}))
    return path


def results(folder):
    return json.loads((folder / "results.json").read_text())


def test_a_set_of_albedo_and_shading_is_measured_free_of_scale(limpid, sintel, usi3d, tmp_path):
    done = limpid("evaluate", "-m", usi3d, "--on", f"mpi_sintel={sintel}", "--report", tmp_path / "out")
    assert done.code == 0, done.err
    found = results(tmp_path / "out")
    assert found["protocol"].startswith("intrinsic:")
    names = [metric["name"] for metric in found["metrics"]]
    assert names == ["si_mse", "si_mse_shading", "lmse", "lmse_shading", "dssim", "dssim_shading"]
    assert "si-MSE shading" in (tmp_path / "out" / "table.md").read_text()
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    scores = {(score["model"], score["item"]): score["values"] for score in found["scores"]}
    assert len(scores) == 8
    albedo, shading, mixed = (layer / 255.0 for layer in layers_of(0))
    untouched = scores["input", "alley_1_0000"]
    assert untouched["si_mse"] == pytest.approx(scale_free(mixed, albedo), rel=0.02)
    flat = np.ones_like(shading)  # what the law leaves beside albedo = input
    assert untouched["si_mse_shading"] == pytest.approx(scale_free(flat, shading), rel=0.02)


def scale_free(estimate, truth):
    """Mean squared error after the best scale."""
    best = (estimate * truth).sum() / (estimate * estimate).sum()
    return ((best * estimate - truth) ** 2).mean()


def test_judged_photos_give_whdr(limpid, usi3d, tmp_path):
    folder = tmp_path / "raw" / "data"
    points = [{"id": place, "x": x, "y": 0.5, "opaque": True} for place, x in enumerate((0.1, 0.9))]
    said = [{"point1": 0, "point2": 1, "darker": "1", "darker_score": 1.0}]
    for number in (5, 7):
        save(folder / f"{number}.png", photo(number, SIZE))
        (folder / f"{number}.json").write_text(json.dumps({"intrinsic_points": points, "intrinsic_comparisons": said}))
    prepared = limpid("prepare", "iiw", tmp_path / "raw", tmp_path / "iiw", "--set", "counts=[2]")
    assert prepared.code == 0, prepared.err
    done = limpid("evaluate", "-m", usi3d, "--on", f"iiw={tmp_path / 'iiw'}", "--report", tmp_path / "out")
    assert done.code == 0, done.err
    found = results(tmp_path / "out")
    assert [metric["name"] for metric in found["metrics"]] == ["whdr"]
    assert {score["values"]["whdr"] for score in found["scores"]} <= {0.0, 1.0}
    assert len(found["scores"]) == 4


def test_the_outputs_of_other_code_are_named_by_layer(limpid, sintel, tmp_path):
    for frame in range(4):
        albedo, shading, _ = layers_of(frame)
        save(tmp_path / "theirs" / f"alley_1_000{frame}.png", albedo)
        save(tmp_path / "theirs" / f"alley_1_000{frame}.shading.png", shading)
    done = limpid("evaluate", "--outputs", f"theirs={tmp_path / 'theirs'}", "--on", sintel, "--report", tmp_path / "out")
    assert done.code == 0, done.err
    perfect = [score["values"] for score in results(tmp_path / "out")["scores"] if score["model"] == "theirs"]
    assert all(values["si_mse"] < 1e-6 and values["si_mse_shading"] < 1e-6 for values in perfect)


def test_albedo_and_shading_are_trained_and_the_best_epoch_is_that_of_the_smallest_error(limpid, sintel, tmp_path):
    text = f"""
name: intrinsic
model: {{name: usi3d, size: tiny, output_range: raw}}
data:
  train: [{{name: pairs, root: {sintel}}}]
  augment: {{crop: 32}}
  validate: [{{name: pairs, root: {sintel}}}]
  batch: 2
losses:
  - {{name: l1, on: {{albedo: 1.0, shading: 0.5}}}}
  - {{name: reconstruction, weight: 0.1}}
optimiser: {{name: adam, rate: 1.0e-3}}
train: {{epochs: 2, ema: null}}
"""
    recipe = tmp_path / "intrinsic.yaml"
    recipe.write_text(text.replace(f"validate: [{{name: pairs, root: {sintel}}}]", "validate: []"))
    done = limpid("train", recipe, "--out", tmp_path / "runs", "--device", "cpu", "-q")
    assert done.code == 0, done.err
    held = tmp_path / "held"
    for name in ("blended", "albedo_layer", "shading_layer"):
        (held / name).mkdir(parents=True)
        layer = dict(zip(("albedo_layer", "shading_layer", "blended"), layers_of(9), strict=True))[name]
        save(held / name / "x.png", layer)
    recipe.write_text(text.replace(f"validate: [{{name: pairs, root: {sintel}}}]", f"validate: [{{name: pairs, root: {held}}}]"))
    done = limpid("train", recipe, "--out", tmp_path / "runs", "--name", "held", "--device", "cpu", "-q")
    assert done.code == 0, done.err
    epochs = [json.loads(line) for line in (tmp_path / "runs/held/epochs.jsonl").read_text().splitlines()]
    kept = json.loads((tmp_path / "runs/held/best.json").read_text())
    errors = {row["epoch"]: row["validation/si_mse"] for row in epochs}
    assert kept[0]["epoch"] == min(errors, key=errors.get)
    assert kept[0]["score"] == pytest.approx(-min(errors.values()))
    done = limpid("decompose", held / "blended" / "x.png", "-m", tmp_path / "runs/held" / kept[0]["file"], "-o", tmp_path / "made")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["x.albedo.png", "x.shading.png"]


def test_a_set_of_blurred_pairs_is_not_given_to_the_reflection_network(limpid, tmp_path):
    for name, layer in (("blended", photo(1, (64, 64))), ("transmission_layer", photo(2, (64, 64)))):
        save(tmp_path / "gopro" / name / "a.png", layer)
    done = limpid("evaluate", "-m", "default", "--on", f"gopro={tmp_path / 'gopro'}", "--report", tmp_path / "out")
    assert done.code == 0, done.err
    found = results(tmp_path / "out")
    assert found["protocol"].startswith("restoration:")
    assert found["models"][1]["description"].startswith("limpid_deblur")


def test_sets_of_two_tasks_are_refused(limpid, sintel, tmp_path):
    for name in ("blended", "transmission_layer"):
        save(tmp_path / "glass" / name / "a.png", photo(1, SIZE))
    done = limpid("evaluate", "--on", sintel, "--on", tmp_path / "glass", "--report", tmp_path / "out")
    assert done.code == 2
    assert "sintel measures intrinsic and glass measures reflection; evaluate them apart" in done.err
