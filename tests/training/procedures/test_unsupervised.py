"""Training without pairs: who learns from what, the backward cycle on the record, the pool, resume to the bit."""

import json

import pytest
import torch

from limpid import create_model
from limpid.checkpoints import file
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.layers.task import TASKS
from limpid.recipe.load import load
from limpid.training.image_pool import ImagePool
from limpid.training.options import TrainOptions
from limpid.training.procedures.unsupervised import Discriminators
from limpid.training.trainer import run_recipe
from procedure_samples import procedure, term
from training_samples import differences, state

SMALL = Discriminators(width=4, layers=2, scales=2, pool=2)
TERMS = ("self_reconstruction", "forward_cycle", "latent_consistency", "independence")


def scene(task="reflection", *, count=2, side=32):
    layers = TASKS[task].layers
    return Batch(
        task=TASKS[task],
        input=torch.rand(count, 3, side, side),
        truth={name: torch.rand(count, 3, side, side) for name in layers},
        known=dict.fromkeys(layers, torch.ones(count, dtype=torch.bool)),
        kinds=("unpaired",) * count,
        gain=torch.ones(count),
        names=("",) * count,
    )


def made(*names, network=None, **settings):
    terms = [term(name) for name in names] + [term("adversarial", form="least_squares")]
    return procedure("unsupervised", terms, network or create_model("sils", "tiny"), discriminators=SMALL, **settings)


def test_both_sides_learn_from_one_forward_and_leave_each_other_alone():
    play, batch = made(*TERMS), scene()
    network, judges = play.networks["network"], play.networks["discriminator"]
    forwards = []
    network.register_forward_hook(lambda *_: forwards.append(1))
    assert play.order(0, 0) == ("discriminator", "network")
    play.loss("discriminator", batch, 0).total.backward()
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(float(parameter.grad.abs().sum()) > 0 for parameter in judges.parameters())
    for parameter in judges.parameters():
        parameter.grad = None
    value = play.loss("network", batch, 0)
    value.total.backward()
    assert all(parameter.grad is None for parameter in judges.parameters())
    assert all(float(parameter.grad.abs().sum()) > 0 for parameter in network.parameters())
    assert {*value.parts} == {*TERMS, "adversarial"}
    assert len(forwards) == 1


def test_no_truth_of_a_photo_reaches_the_network():
    """What is learnt depends on which samples there are, not on which photo they stand beside."""
    play, batch = made(*TERMS), scene()
    turned = Batch(**{**vars(batch), "truth": {name: layer.flip(0) for name, layer in batch.truth.items()}})
    values = []
    for one in (batch, turned):
        play.order(0, 0)
        values.append(float(play.loss("network", one, 0).total.detach()))
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_without_its_weight_the_discriminator_rests():
    terms = [term("forward_cycle"), term("adversarial", lambda epoch: float(epoch > 2))]
    play = procedure("unsupervised", terms, create_model("sils", "tiny"), discriminators=SMALL)
    assert [play.order(0, epoch) for epoch in (0, 3)] == [("network",), ("discriminator", "network")]
    assert "discriminator" not in procedure("unsupervised", [term("forward_cycle")], create_model("sils", "tiny")).networks


@pytest.mark.parametrize(("names", "said"), [(TERMS, "off"), ((*TERMS, "backward_cycle"), "on")])
def test_the_backward_cycle_is_on_the_record(names, said):
    play = made(*names)
    assert play.notes == {"backward_cycle": said}
    play.order(0, 0)
    assert ("backward_cycle" in play.loss("network", scene(), 0).parts) is (said == "on")


def test_three_layers_and_usi3d_learn_so_too():
    three = create_model("sils", "tiny", layers=("layer_1", "layer_2", "layer_3"))
    play = made(*TERMS, network=three)
    play.order(0, 0)
    assert bool(torch.isfinite(play.loss("network", scene("layers_3"), 0).total))
    usi3d = create_model("usi3d", "tiny", training_parts=True)
    names = ("self_reconstruction", "physical", "style_divergence", "albedo_smoothness")
    codes = [term("code_reconstruction", of=of, label=of) for of in ("style", "content", "cycle")]
    terms = [*map(term, names), *codes, term("adversarial", form="least_squares")]
    play = procedure("unsupervised", terms, usi3d, discriminators=SMALL)
    batch = scene("intrinsic")
    play.order(0, 0)
    play.loss("discriminator", batch, 0).total.backward()
    value = play.loss("network", batch, 0)
    value.total.backward()
    assert bool(torch.isfinite(value.total))
    assert all(parameter.grad is not None for parameter in usi3d.parameters())


def test_what_needs_pairs_is_refused():
    with pytest.raises(SettingError, match="l1"):
        made("l1")
    with pytest.raises(SettingError, match="cannot learn without pairs"):
        procedure("unsupervised", [term("forward_cycle")])
    with pytest.raises(SettingError, match="belongs to the procedure unsupervised"):
        procedure("supervised", [term("forward_cycle")])
    play, batch = made(*TERMS), scene()
    blind = Batch(**{**vars(batch), "known": {**batch.known, "reflection": torch.tensor([True, False])}})
    with pytest.raises(SettingError, match="a sample of every layer"):
        play.loss("network", blind, 0)


def test_a_pool_shows_each_image_at_once_or_later_and_holds_no_more_than_it_may():
    torch.manual_seed(3)
    pool = ImagePool(4)
    shown = [float(pool(torch.full((1, 3, 2, 2), float(number))).mean()) for number in range(200)]
    assert shown[:4] == [0, 1, 2, 3]
    late = [number - seen for number, seen in enumerate(shown) if seen != number]
    assert 60 < len(late) < 140
    assert min(late) > 0
    assert len(pool.images) == 4
    assert torch.equal(ImagePool(0)(torch.ones(1, 3, 2, 2)), torch.ones(1, 3, 2, 2))


RECIPE = [
    "data.epoch=4",
    "data.batch=2",
    "data.validate.0.length=2",
    "train.epochs=3",
    "log={every: 1, images: 1}",
    "procedure.discriminators={width: 4, layers: 3, scales: 1, pool: 3}",
]


def test_a_run_leaves_scores_pictures_and_notes_and_resumes_to_the_bit(tmp_path):
    loaded = load("sils_toy", [*RECIPE])
    assert run_recipe(loaded, tmp_path / "whole", TrainOptions(device="cpu", quiet=True)) == 0
    assert run_recipe(loaded, tmp_path / "cut", TrainOptions(device="cpu", quiet=True, max_steps=3)) == 0
    assert run_recipe(loaded, tmp_path / "cut", TrainOptions(device="cpu", quiet=True, resume=True)) == 0
    assert not differences(state(tmp_path / "whole"), state(tmp_path / "cut"))
    rows = [json.loads(line) for line in (tmp_path / "whole/epochs.jsonl").read_text().splitlines()]
    assert all(row["validation/psnr"] > 0 and row["validation/input_psnr"] > 10 for row in rows)
    assert {path.name for path in next(path for path in (tmp_path / "whole/epoch_0003").iterdir() if path.is_dir()).iterdir()} == {
        "input.png",
        "layer_1.png",
        "layer_2.png",
    }
    best = json.loads((tmp_path / "whole/best.json").read_text())[0]["file"]
    assert file.read(tmp_path / "whole" / best).notes["backward_cycle"] == "off"


@pytest.mark.parametrize("precision", ["bfloat16"])
def test_low_precision_trains(tmp_path, precision):
    loaded = load("sils_toy", [*RECIPE, f"train.precision={precision}"])
    assert run_recipe(loaded, tmp_path / "run", TrainOptions(device="cpu", quiet=True, max_steps=2)) == 0
    assert state(tmp_path / "run")["skipped"] == 0
