"""Every shipped recipe: it loads, fits the schema, builds at full size, and trains two steps on pictures made here, offline."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.checkpoints import file
from limpid.cli.train import train as command
from limpid.data.augment import Augment
from limpid.data.collate import collate
from limpid.errors import UsageError
from limpid.physics.seeds import generator
from limpid.recipe.json_schema import schema
from limpid.recipe.load import Loaded, describe, dump, load, parse, shipped
from limpid.recipe.settings import arguments, built
from limpid.recipe.text import read
from limpid.runtime.load import load as load_weights
from limpid.training.assemble import data_sources, task_of
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from recipe.test_json_schema import as_json, fits
from recipe_shrink import make_places, names_in, overrides, start, text_of
from training_samples import differences, state

NAMES = shipped()

TRAINED = {
    "dsit": 131_762_862,
    "dsrnet_l": 124_602_022,
    "dsrnet_l_cosine": 124_602_022,
    "hypercolumn_dinov3_vits16": 395_544,
    "hypercolumn_dinov3_vits16_distill": 395_544,
    "hypercolumn_dinov3_vits16_distributed": 473_816 + 8,
    "hypercolumn_dinov3_vits16_residual": 395_544 + 8,
    "hypercolumn_dinov3_vitt_distill": 346_392,
    "hypercolumn_hgnetv2_distill": 416_024,
    "hypercolumn_vgg19": 391_448,
    "ibcln": 2 * 10_804_169,
    "mdsrnet_l": 209_067_942,
    "mgdsrnet_l": 340_611_750,
    "mxdsrnet_l": 213_050_598,
    "nafnet_denoise_natural": 41_437_323,
    "ragnet": 60_731_715 + 85_981_379 - 4 * (512 * 512 * 9 + 512),
    "stacked_denoise_leaves": 28_723,
    "unet_deblur_natural": 32_530_699,
    "ytmt": 38_448_530 - 8_705_450,
    "ytmt_uct": 38_448_530 - 8_705_450,
}
"""Parameters that learn, counted in the published code, unused convolutions left out; 8 are scales of residual skips."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_places(tmp_path_factory.mktemp("places"))


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may ask the network, nor wait for the disk: some runs hold a random VGG-19 three times."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a run, emptied afterwards: together they would fill gigabytes."""
    yield tmp_path / "run"
    shutil.rmtree(tmp_path)


@pytest.fixture(scope="module")
def whole_schema() -> dict[str, Any]:
    return schema(Augment)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_and_fits_the_schema(name, whole_schema):
    data = read(text_of(name), name).data
    assert data["name"] == name
    assert describe(name).source
    assert 20 < len(describe(name).line) < 130
    assert fits(as_json(data), whole_schema, whole_schema)


@pytest.mark.parametrize("name", NAMES)
def test_it_builds_at_full_size(name, places):
    loaded = load(name, [f"{asked}={places.get(asked, places['*'])}" for asked in names_in(name)])
    assert parse(dump(loaded.recipe), Path("saved.yaml")).recipe == loaded.recipe
    network, _ = parts(loaded)
    assert {parameter.device.type for parameter in network.parameters()} == {"meta"}
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    assert trained == TRAINED.get(name, trained)


def test_the_counted_recipes_exist():
    assert {*TRAINED} <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_two_steps(name, places, folder):
    loaded = load(name, overrides(name, places))
    for source in data_sources(loaded):
        collate([source.pair(0, 0, generator(1, "test"))], task_of(loaded))
    model = loaded.recipe.model
    first = start(folder.with_name("start.safetensors"), model.name, **model.settings) if needs_start(loaded) else None
    random = backbones(*parts(loaded))
    assert run_recipe(loaded, folder, TrainOptions(init=first, backbone_weights=random, device="cpu", max_steps=2, quiet=True)) == 0
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert all(value is not None for row in rows for value in row.values())  # null: not finite
    labels = {term.label for term in loaded.recipe.losses if term.only != ("unaligned",)}
    assert labels <= {*rows[0], *rows[1]}
    last = state(folder)
    assert (last["step"], last["skipped"]) == (2, 0)
    assert differences(last["ema"], last["modules"]["network"])  # the average began at the first weights: they moved
    best = folder / json.loads((folder / "best.json").read_text())[0]["file"]
    separator = load_weights(best, device="cpu", backbone_weights=backbones(file.build(file.read(best), source="best")))
    separation = separator.run(torch.rand(3, 40, 56))
    assert all(layer.shape == (3, 40, 56) and bool(torch.isfinite(layer).all()) for layer in separation.values())


@pytest.mark.parametrize("name", ["errnet_unaligned", "hypercolumn_residual_from_baseline"])
def test_fine_tuning_asks_for_its_start(name, places, folder):
    loaded = load(name, overrides(name, places))
    options = {"backbone_weights": "none", "device": "cpu", "quiet": True}
    with pytest.raises(UsageError, match="--init FILE"):
        run_recipe(loaded, folder, TrainOptions(**options))
    first = start(folder.with_name("start.safetensors"), loaded.recipe.model.name)
    run_recipe(loaded, folder, TrainOptions(**options, init=first, max_steps=1))
    assert run_recipe(loaded, folder, TrainOptions(**options, resume=True)) == 0
    assert state(folder)["step"] == 2


def test_a_frozen_backbone_asks_for_its_start_in_one_line(places, folder):
    with pytest.raises(
        UsageError, match=r"train\.frozen holds swin_prior, whose weights would stay random .*; give --init"
    ) as refusal:
        run_recipe(load("dsit", overrides("dsit", places)), folder, TrainOptions(backbone_weights="none", device="cpu", quiet=True))
    assert "\n" not in str(refusal.value)


def test_the_list_shows_them_all(capsys):
    command(listing=True)
    listed = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in listed[::2]] == NAMES
    assert all(line.startswith("  source ") and len(line) > 12 for line in listed[1::2])


def test_the_table_in_the_docs_holds_them_all():
    rows = (Path(__file__).parents[2] / "docs/training/recipes.md").read_text(encoding="utf-8").splitlines()
    named = {name for row in rows if row.startswith("| `") for name in row.split("|")[1].replace("`", "").replace(",", "").split()}
    assert {*NAMES} <= named


def parts(loaded: Loaded) -> tuple[nn.Module, ...]:
    """The network of a recipe and its losses, without memory behind them."""
    recipe, model = loaded.recipe, loaded.recipe.model
    with torch.device("meta"):
        settings = arguments("models", model.name, model.settings, size=model.size)
        losses = [built("losses", term.name, term.settings) for term in recipe.losses]
        return catalogue.find("models", model.name).build(**settings), nn.ModuleList(losses)


def backbones(*modules: nn.Module) -> str:
    """What to say to --backbone-weights: random ones, where there are any."""
    return "none" if any(isinstance(one, Backbone) for module in modules for one in module.modules()) else "pretrained"


def needs_start(loaded: Loaded) -> bool:
    """Whether a recipe fine-tunes, or keeps parts as they are."""
    fine = loaded.recipe.procedure.name == "unaligned" or bool(loaded.recipe.procedure.settings.get("needs_start"))
    return fine or bool(loaded.recipe.train.frozen)
