"""The curves of a run: what is drawn, where, and from the command line."""

import json

import pytest
from PIL import Image

from limpid.errors import UsageError
from limpid.recipe.load import load
from limpid.training.curves import draw_curves, panels_of
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from training_samples import recipe


@pytest.fixture
def done(tmp_path):
    """A run folder with records as a training writes them."""
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    rows = [
        {"step": n, "epoch": 1, "samples": 2, "loss": 1 / n, "adv": None, "lr": 1e-3, "lr_discriminator": 1e-4, "seconds": 1.0}
        for n in (1, 2, 20)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scores = [
        {"epoch": n, "step": 4 * n, "train/loss": 0.1, "validation/psnr": 20.0 + n, "validation/input_psnr": 19.0} for n in (1, 2)
    ]
    (folder / "epochs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in scores))
    return folder


def test_losses_rates_and_scores_have_panels_of_their_own(done):
    assert panels_of(done) == {
        "loss": {"loss": ([1, 2, 20], [1.0, 0.5, 0.05])},
        "learning rate": {"network": ([1, 2, 20], [1e-3] * 3), "discriminator": ([1, 2, 20], [1e-4] * 3)},
        "psnr": {"validation": ([4, 8], [21.0, 22.0]), "validation, input": ([4, 8], [19.0, 19.0])},
    }


def test_several_runs_share_a_picture(done, tmp_path):
    picture = draw_curves([done, done], tmp_path / "both.png")
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width > 3 * image.height
    with pytest.raises(UsageError, match="holds no records of a training"):
        draw_curves([tmp_path], tmp_path / "none.png")


def test_a_run_draws_its_curves_at_its_end(tmp_path, given):
    loaded = load(recipe(tmp_path / "sample.yaml", {"log": {"curves": True}}), given)
    run_recipe(loaded, tmp_path / "run", TrainOptions(max_steps=2, quiet=True))
    with Image.open(tmp_path / "run/curves.png") as image:
        assert image.width > 500
