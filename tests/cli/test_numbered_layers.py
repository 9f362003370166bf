"""Three layers from end to end: a folder, training without pairs, a checkpoint, layers of a photo, scores."""

import json

import pytest
from PIL import Image

from limpid.layers.pixels import quantise
from limpid.layers.task import TASKS, find_task
from limpid.physics.seeds import generator
from limpid.physics.toy_layers import TOYS, draw_layers
from limpid.runtime.load import load

RECIPE = """
name: three
task: layers_3
model: {{name: sils, size: tiny, layers: [layer_1, layer_2, layer_3]}}
data:
  train: [{{name: unpaired, root: {root}, augment: {{crop: 32, flip: 0.5}}}}]
  validate: [{{name: toy, kind: three, side: 32, length: 2, seed: 5, paired: true}}]
  epoch: 2
  batch: 2
  workers: 0
procedure: {{name: unsupervised, discriminators: {{width: 4, layers: 2, scales: 1, pool: 2}}}}
losses:
  - {{name: adversarial, form: least_squares}}
  - {{name: self_reconstruction, weight: 10}}
  - {{name: forward_cycle, weight: 10}}
  - {{name: latent_consistency}}
  - {{name: independence}}
optimiser: {{name: adam, rate: 1.0e-4}}
discriminator: {{name: adam, rate: 1.0e-4}}
train: {{epochs: 1, ema: null}}
log: {{images: 1}}
"""


@pytest.fixture
def three(tmp_path):
    """Pictures of three layers in the tidy layout."""
    for place in range(3):
        layers = draw_layers(TOYS["three"], 40, generator(0, place, "test"))
        pictures = {"blended": find_task("layers_3").compose(layers), **layers}
        for folder, picture in pictures.items():
            (tmp_path / "three" / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(quantise(picture, "uint8")).save(tmp_path / "three" / folder / f"{place}.png")
    return tmp_path / "three"


def test_three_layers_are_learnt_written_and_measured(limpid, three, tmp_path):
    recipe = tmp_path / "three.yaml"
    recipe.write_text(RECIPE.format(root=three))
    done = limpid("train", recipe, "--out", tmp_path / "runs", "--device", "cpu", "-q")
    assert done.code == 0, done.err
    run = tmp_path / "runs/three"
    row = json.loads((run / "epochs.jsonl").read_text().splitlines()[0])
    assert row["validation/input_psnr"] > 5
    weights = run / json.loads((run / "best.json").read_text())[0]["file"]
    assert load(weights).task is TASKS["layers_3"]
    photo = three / "blended/0.png"
    done = limpid("separate", photo, "-m", weights, "--task", "layers_3", "-o", tmp_path / "made")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [f"0.layer_{place}.png" for place in (1, 2, 3)]
    refused = limpid("separate", photo, "-m", weights, "-o", tmp_path / "other")
    assert refused.code == 2
    assert "layers_3, not reflection" in refused.err
    done = limpid("evaluate", "-m", weights, "--on", f"toys={three}", "--report", tmp_path / "out")
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "out/results.json").read_text())
    assert found["protocol"].startswith("layers:")
    names = [metric["name"] for metric in found["metrics"]]
    assert names == [f"{name}{end}" for name in ("psnr_joint", "ssim") for end in ("", "_layer_2", "_layer_3")]
    trivial = next(score["values"] for score in found["scores"] if score["model"] == "input")
    assert all(trivial[name] > 5 for name in names[:3])


@pytest.mark.parametrize("kind", TOYS)
def test_every_toy_composes_by_the_law_of_its_task(kind):
    toy = TOYS[kind]
    layers = draw_layers(toy, 32, generator(1, kind))
    task = find_task(toy.task)
    assert tuple(layers) == task.layers
    picture = task.compose(layers)
    assert picture.shape == (3, 32, 32)
    assert 0 <= float(picture.min()) < float(picture.max()) <= 1
    trivial = task.trivial(picture)
    assert float((task.compose(trivial) - picture).abs().max()) < 1e-5
