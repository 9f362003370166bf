"""Options of the originals, each in a run or against an implementation that is not ours."""

import json

import pytest
import torch
from torch import nn

from limpid.blocks.weight_init import fill
from limpid.checkpoints import file
from limpid.errors import SettingError, UnknownNameError, UsageError
from limpid.recipe.load import load
from limpid.recipe.models import Sgd
from limpid.training.assemble import assemble
from limpid.training.checkpointing import checkpoint_blocks
from limpid.training.optimisers import build
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from training_samples import differences, recipe, state

TWO_SOURCES = {
    "data": {
        "train": [
            {"name": "mixture", "label": "one", "transmission": "$PHOTOS", "mixtures": [{"name": "subtractive"}]},
            {"name": "mixture", "label": "two", "transmission": "$PHOTOS", "mixtures": [{"name": "subtractive"}]},
        ]
    }
}


@pytest.fixture
def run(tmp_path, given):
    def go(*changes, name="run", overrides=(), **wishes):
        loaded = load(recipe(tmp_path / "sample.yaml", *changes), [*given, *overrides])
        run_recipe(loaded, tmp_path / name, TrainOptions(quiet=True, **{"device": "cpu", "max_steps": 2, **wishes}))
        return [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]

    return go


def test_blocks_that_are_computed_again_change_no_number(run, tmp_path):
    run(name="plain")
    run(overrides=["train.checkpointing=true"])
    apart = {"logger": 0, "recipe": 0}
    assert differences({**state(tmp_path / "plain"), **apart}, {**state(tmp_path / "run"), **apart}) == []


def kept(network):
    sizes = {}

    def pack(tensor):
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        alive = network(torch.rand(1, 3, 64, 64))
    del alive
    return sum(sizes.values())


def test_blocks_that_are_computed_again_keep_less(tmp_path, given):
    network = assemble(load(recipe(tmp_path / "sample.yaml"), given)).network.train()
    before = kept(network)
    assert checkpoint_blocks(network) > 1
    assert kept(network) < before / 2
    with pytest.raises(UsageError, match=r"train\.checkpointing: conv2d has no blocks"):
        checkpoint_blocks(nn.Conv2d(3, 3, 1))


def test_a_loss_of_one_source_looks_at_no_other(run):
    losses = {
        "losses": [{"name": "l1", "label": "first", "sources": ["one"]}, {"name": "l1", "label": "second", "sources": ["two"]}]
    }
    rows = run(TWO_SOURCES, losses, overrides=["data.train.one.weight=1", "data.train.two.weight=0"])
    assert all(row["first"] > 0 and row["second"] == 0 for row in rows)
    rows = run(TWO_SOURCES, losses, name="workers", overrides=["data.train.one.weight=0", "data.workers=1"])
    assert all(row["second"] > 0 and row["first"] == 0 for row in rows)
    with pytest.raises(SettingError, match="a loss names the source 'three'; data.train has one, two"):
        run(TWO_SOURCES, {"losses": [{"name": "l1", "sources": ["three"]}]}, name="other")


def test_crops_grow_by_epoch(run, tmp_path, given):
    loaded = load(recipe(tmp_path / "sample.yaml"), [*given, "data.augment.stretch={0: 16, 1: 32}"])
    stream = assemble(loaded).stream
    assert [stream[item].input.shape[-1] for item in (0, 7, 8, 15)] == [16, 16, 32, 32]
    run(overrides=["data.augment.stretch={0: 16, 1: 32}"], max_steps=None)
    assert state(tmp_path / "run")["step"] == 8


@pytest.mark.parametrize("kind", ["normal", "xavier", "kaiming", "orthogonal"])
def test_weights_are_drawn_as_pytorch_draws_them(kind):
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Linear(4, 6))
    frozen = nn.Conv2d(3, 3, 1).requires_grad_(False)
    before = frozen.weight.clone()
    torch.manual_seed(3)
    fill(nn.Sequential(network, frozen), kind, 0.05)
    torch.manual_seed(3)
    expected = torch.empty(5, 3, 3, 3)
    draw = {
        "normal": lambda: nn.init.normal_(expected, 0, 0.05),
        "xavier": lambda: nn.init.xavier_normal_(expected, 0.05),
        "kaiming": lambda: nn.init.kaiming_normal_(expected),
        "orthogonal": lambda: nn.init.orthogonal_(expected, 0.05),
    }
    assert torch.equal(network[0].weight, draw[kind]())
    assert not network[0].bias.any()
    assert not network[1].bias.any()
    assert 0 < float((network[1].weight.detach() - 1).abs().max()) < 0.5
    assert torch.equal(frozen.weight, before)


def test_the_recipe_says_how_weights_are_drawn(tmp_path, given):
    text = recipe(tmp_path / "sample.yaml")
    plain, drawn = (assemble(load(text, [*given, f"train.init_type={kind}"])).network for kind in ("default", "orthogonal"))
    assert not torch.equal(plain.intro.weight, drawn.intro.weight)


def test_parts_have_rates_of_their_own(run, tmp_path):
    sgd = {"optimiser": {"name": "sgd", "rate": 0.1, "parts": {"intro": 0.0, "heads": 0.5}}, "schedule": {"name": "constant"}}
    run(sgd)
    groups = state(tmp_path / "run")["optimisers"]["network"]["param_groups"]
    assert {(group["factor"], group["lr"]) for group in groups} == {(1.0, 0.1), (0.5, 0.05), (0.0, 0.0)}
    with pytest.raises(UsageError, match=r"optimiser\.parts names 'introo', which holds nothing that learns; what does: intro"):
        run({"optimiser": {**sgd["optimiser"], "parts": {"introo": 0.1}}}, name="other")


def test_the_longest_part_counts():
    network = nn.ModuleDict({"a": nn.ModuleDict({"b": nn.Linear(2, 2), "c": nn.Linear(2, 2)}), "ab": nn.Linear(2, 2)})
    optimiser = build(Sgd(name="sgd", rate=1.0, parts={"a": 0.1, "a.b": 0.2}), network.named_parameters())
    found = {id(parameter): group["factor"] for group in optimiser.param_groups for parameter in group["params"]}
    factors = {name: found[id(parameter)] for name, parameter in network.named_parameters() if name.endswith("weight")}
    assert factors == {"a.b.weight": 0.2, "a.c.weight": 0.1, "ab.weight": 1.0}


def test_a_pretrained_backbone_learns_at_a_tenth_and_is_kept(run, tmp_path):
    model = {
        "model": {"name": "hypercolumn", "size": "tiny"},
        "optimiser": {"name": "adam", "rate": 1e-3, "parts": {"backbone": 0.1}},
    }
    with pytest.raises(UsageError, match="'backbone', which holds nothing that learns"):
        run(model, backbone_weights="none", name="frozen")
    run(model, {"train": {"trained": ["backbone"]}}, backbone_weights="none", name="first")
    weights = file.read(tmp_path / "first/last.safetensors").tensors
    inside = {name: tensor for name, tensor in weights.items() if name.startswith("backbone.")}
    still = {**model, "optimiser": {**model["optimiser"], "parts": {"backbone": 0.0}}}
    run(still, {"train": {"trained": ["backbone"]}}, backbone_weights="none", name="still")
    begun = file.read(tmp_path / "still/last.safetensors").tensors
    assert sum(not torch.equal(tensor, begun[name]) for name, tensor in inside.items()) > 5
    groups = state(tmp_path / "first")["optimisers"]["network"]["param_groups"]
    assert sorted({group["factor"] for group in groups}) == [0.1, 1.0]
    assert inside.keys() <= state(tmp_path / "first")["modules"]["network"].keys()
    with pytest.raises(UnknownNameError, match="part of this network"):
        run(model, {"train": {"trained": ["bakbone"]}}, backbone_weights="none", name="other")


@pytest.mark.parametrize("name", ["nafnet", "stacked"])
def test_grey_networks_train(run, tmp_path, name):
    source = {"name": "degraded", "root": "$PHOTOS", "degradations": [{"name": "gaussian_noise"}]}
    held = {**source, "root": "$HELD", "count": 1}
    rows = run(
        {"model": {"name": name, "size": "tiny", "grey": True}, "losses": [{"name": "mse"}], "task": "denoise"},
        {"data": {"train": [source], "validate": [held]}},
    )
    assert all(row["mse"] > 0 for row in rows)
    tensors = file.read(tmp_path / "run/last.safetensors").tensors
    assert any(tensor.ndim == 4 and tensor.shape[1] == 1 for tensor in tensors.values())


@pytest.mark.parametrize("discriminator", ["patch", "pixel"])
def test_a_wasserstein_game_is_played_and_logged(run, discriminator):
    game = {
        "procedure": {
            "name": "adversarial",
            "discriminator": discriminator,
            "discriminator_norm": "none",
            "discriminator_width": 8,
        },
        "discriminator": {"name": "adam", "rate": 1e-4},
        "losses": [{"name": "l1"}, {"name": "adversarial", "weight": 0.01, "form": "wasserstein", "label": "adv"}],
    }
    rows = run(game)
    assert all({"adv", "discriminator", "penalty"} <= row.keys() for row in rows)
    assert rows[0]["penalty"] > 0.5  # the gradient of a fresh discriminator is next to nothing
