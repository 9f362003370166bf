"""Where a network begins: with a checkpoint of its own kind, or with one that is a part of it; and what stays as it began."""

import pytest
import torch

from limpid import catalogue, create_model
from limpid.checkpoints import file
from limpid.errors import UnknownNameError, UnrecognisedError, WeightsError
from limpid.recipe.load import load
from limpid.training.assemble import assemble
from limpid.training.initialise import initialise_from
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from network_samples import tiny
from training_samples import photos, recipe, state

GUESS = {"width": 4, "shuffle": 2, "encoder": (1,), "middle": 1, "decoder": (1,), "attention": False}
SHAKEN = {
    "model": {"name": "deconvolution", "size": "tiny"},
    "data": {
        "train": [{"name": "degraded", "root": "$PHOTOS", "degradations": [{"name": "motion_blur", "rim": 32}]}],
        "augment": {"short_side": [128, 128], "crop": 128},
        "validate": [],
    },
    "losses": [{"name": "l1"}],
}


def saved(path, name, settings):
    torch.manual_seed(7)
    network = create_model(name, **settings)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    file.save(path, file.Checkpoint(model=name, settings=settings, tensors=network.state_dict(), notes={}))
    return network


def test_a_checkpoint_of_one_part_starts_that_part(tmp_path):
    part = saved(tmp_path / "guess.safetensors", "nafnet", GUESS)
    network = create_model("deconvolution", "tiny")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    new = initialise_from(network, tmp_path / "guess.safetensors")
    after = network.state_dict()
    assert set(new) == {name for name in after if not name.startswith("guess.")}
    assert all(torch.equal(after[name], before[name]) for name in new)
    assert all(torch.equal(after[f"guess.{name}"], tensor) for name, tensor in part.state_dict().items())


def test_a_checkpoint_that_fits_neither_the_network_nor_a_part_is_refused(tmp_path):
    saved(tmp_path / "other.safetensors", "nafnet", {**GUESS, "width": 8})
    with pytest.raises(WeightsError, match=r"other\.safetensors holds nafnet .* does not fit this recipe"):
        initialise_from(create_model("deconvolution", "tiny"), tmp_path / "other.safetensors")


def test_a_published_backbone_starts_its_part_whatever_stands_before_its_names(tmp_path):
    donor = tiny("dsit").swin_prior.state_dict()
    more = {
        "backbone.layers.0.blocks.0.attn.relative_position_index": torch.zeros(16, 16).long(),
        "class_embed.weight": torch.ones(3),
    }
    torch.save({"model": {f"backbone.{name}": tensor + 1 for name, tensor in donor.items()} | more}, tmp_path / "swin.pth")
    network = tiny("dsit")
    new = initialise_from(network, tmp_path / "swin.pth")
    assert all(torch.equal(network.swin_prior.state_dict()[name], tensor + 1) for name, tensor in donor.items())
    assert set(new) == {name for name in network.state_dict() if not name.startswith("swin_prior.")}
    torch.save({"model": {f"backbone.{name}": tensor[..., :1] for name, tensor in donor.items()}}, tmp_path / "narrow.pth")
    with pytest.raises(UnrecognisedError, match=r"narrow\.pth"):
        initialise_from(tiny("dsit"), tmp_path / "narrow.pth")


def test_a_second_stage_begins_as_the_first(tmp_path):
    first = saved(tmp_path / "first.safetensors", "ytmt", {**catalogue.find("models", "ytmt").sizes["tiny"], "stages": 1})
    network = tiny("ytmt")
    assert initialise_from(network, tmp_path / "first.safetensors") == []
    for stage in (network.icnn, network.icnn2):
        assert all(torch.equal(stage.state_dict()[name], tensor) for name, tensor in first.icnn.state_dict().items())


def test_frozen_parts_keep_their_first_weights_and_the_others_learn(tmp_path, monkeypatch):
    part = saved(tmp_path / "guess.safetensors", "nafnet", GUESS)
    monkeypatch.setenv("PHOTOS", str(photos(tmp_path / "photos", 4, side=136)))
    path = recipe(tmp_path / "recipe.yaml", SHAKEN, {"train": {"frozen": ["guess"], "ema": None}})
    run_recipe(
        load(path),
        tmp_path / "run",
        TrainOptions(device="cpu", quiet=True, init=tmp_path / "guess.safetensors", max_steps=3),
    )
    learnt = state(tmp_path / "run")["modules"]["network"]
    kept = part.state_dict()
    assert all(torch.equal(learnt[f"guess.{name}"], tensor) for name, tensor in kept.items())
    first = create_model("deconvolution", "tiny").state_dict()
    assert any(not torch.equal(tensor, first[name]) for name, tensor in learnt.items() if name.startswith("finish."))


def test_a_part_that_the_network_lacks_is_named_with_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOS", str(photos(tmp_path / "photos", 2, side=136)))
    path = recipe(tmp_path / "recipe.yaml", SHAKEN, {"train": {"frozen": ["gess"]}})
    with pytest.raises(UnknownNameError, match=r"recipe\.yaml:\d+: no part of this network named 'gess'; did you mean 'guess'"):
        assemble(load(path))
