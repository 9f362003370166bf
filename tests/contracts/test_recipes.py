"""Every shipped recipe: it loads, fits the schema, builds at full size, and trains two steps on pictures made here, offline."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.checkpoints import file
from limpid.data.collate import collate
from limpid.physics.seeds import generator
from limpid.recipe.load import Loaded, describe, dump, load, parse, shipped
from limpid.recipe.schema import schema
from limpid.recipe.settings import arguments, built
from limpid.recipe.text import read
from limpid.runtime.load import load as load_weights
from limpid.training.assemble import data_sources
from limpid.training.session import Wish, train
from recipe.test_schema import as_json, fits
from recipe_shrink import make_places, names_in, overrides, text_of
from training_samples import differences, state

NAMES = shipped()

PARAMETERS = {
    "dsrnet_l": 124_602_022,
    "dsrnet_l_cosine": 124_602_022,
    "hypercolumn_dinov3_vits16": 21_996_696,
    "hypercolumn_dinov3_vits16_distributed": 22_074_968 + 8,
    "hypercolumn_dinov3_vitt_distill": 5_832_600,
    "hypercolumn_hgnetv2_distill": 2_266_420,
    "hypercolumn_vgg19": 20_415_832,
    "mdsrnet_l": 209_067_942,
    "mgdsrnet_l": 340_611_750,
    "mxdsrnet_l": 213_050_598,
    "nafnet_denoise_natural": 41_437_323,
    "stacked_denoise_leaves": 28_723,
    "unet_deblur_natural": 32_530_699,
}
"""Of the published networks, counted in their own code; VGG-19 maps of DSRNet not counted."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_places(tmp_path_factory.mktemp("places"))


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may ask the network."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_issues_recipes_are_shipped():
    wanted = """hypercolumn_vgg19 hypercolumn_dinov3_vits16 hypercolumn_dinov3_vits16_residual hypercolumn_dinov3_vits16_distributed
        hypercolumn_dinov3_vitt_distill hypercolumn_hgnetv2_distill hypercolumn_dinov3_vits16_distill
        hypercolumn_residual_from_baseline errnet errnet_unaligned ibcln dsrnet_l dsrnet_l_cosine mdsrnet_l mxdsrnet_l mgdsrnet_l
        nafnet_denoise_leaves nafnet_denoise_natural nafnet_gaussian_deblur_leaves nafnet_deblur_leaves nafnet_deblur_natural
        stacked_denoise_leaves nafnet_denoise_primitives stacked_denoise_primitives""".split()
    assert not {*wanted} - {*NAMES}


@pytest.fixture(scope="module")
def whole_schema() -> dict[str, Any]:
    return schema()


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_and_fits_the_schema(name, whole_schema):
    data = read(text_of(name), name).data
    assert data["name"] == name
    assert describe(name).source
    assert 20 < len(describe(name).line) < 130
    assert fits(as_json(data), whole_schema, whole_schema)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_it_says_at_full_size(name, places):
    loaded = load(name, [f"{asked}={places.get(asked, places['*'])}" for asked in names_in(name)])
    again = parse(dump(loaded.recipe), Path(f"{name}.yaml"))
    assert again.recipe == loaded.recipe
    with torch.device("meta"):
        network = _network(loaded)
        for place, term in enumerate(loaded.recipe.losses):
            built("losses", term.name, term.settings, where=loaded.where("losses", place))
    held = [*network.parameters()]
    assert {parameter.device.type for parameter in held} == {"meta"}
    if name in PARAMETERS:
        assert _count(network) == PARAMETERS[name]


def _network(loaded: Loaded) -> nn.Module:
    model = loaded.recipe.model
    network: nn.Module = catalogue.find("models", model.name).build(**arguments("models", model.name, model.settings, size=model.size))
    return network


def _count(network: nn.Module) -> int:
    left_out = {id(one) for found in network.modules() if isinstance(found, Backbone) and not found.stored for one in found.parameters()}
    return sum(parameter.numel() for parameter in network.parameters() if id(parameter) not in left_out)


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_two_steps(name, places, tmp_path):
    loaded = load(name, overrides(name, places))
    run = tmp_path / "run"
    weights = "none" if _has_backbone(loaded) else "pretrained"
    init = _start(loaded, tmp_path) if loaded.recipe.procedure.name == "unaligned" or "needs_start" in text_of(name) else None
    assert train(loaded, Wish(folder=run, init=init, backbone_weights=weights, device="cpu", max_steps=2, quiet=True)) == 0
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert {"loss"} < {*rows[0]}
    assert all(isinstance(value, int | float) for row in rows for value in row.values())
    assert any(len({*row} & {term.label for term in loaded.recipe.losses}) for row in rows)
    last = state(run)
    assert (last["step"], last["skipped"]) == (2, 0)
    assert differences(last["average"], last["players"]["network"])
    best = run / json.loads((run / "best.json").read_text())[0]["file"]
    holds = any(isinstance(module, Backbone) for module in file.build(file.read(best), source="best").modules())
    separation = load_weights(best, device="cpu", backbone_weights="none" if holds else "pretrained")(torch.rand(3, 40, 56))
    assert all(layer.shape == (3, 40, 56) and bool(torch.isfinite(layer).all()) for layer in separation.values())
