"""Every published layout leads to the same network with the same answer."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from limpid import catalogue, create_model
from limpid.checkpoints import file, unwrap
from limpid.errors import WeightsError


def fresh(name):
    torch.manual_seed(1)
    network = create_model(name, "tiny")
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return network.eval()


@pytest.fixture(scope="module")
def state():
    return fresh("limpid").state_dict()


def prefixed(state, prefix):
    return OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def loss_network():
    return prefixed({"features.0.weight": torch.rand(4, 3, 3, 3), "features.0.bias": torch.rand(4)}, "criterion.vgg.")


LAYOUTS = {
    "bare": lambda s: s,
    "icnn": lambda s: {
        "icnn": s,
        "opt_g": {"state": {}, "param_groups": []},
        "epoch": 60,
        "iterations": 463920,
        "netD": {"a.b": torch.ones(1)},
    },
    "weight": lambda s: {
        "weight": s,
        "epoch": 14,
        "iterations": 111048,
        "opt_g": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 1e-4}]},
    },
    "generator": lambda s: {
        "epoch": 3,
        "generator": s,
        "discriminator": {"a": torch.ones(1)},
        "optimizer_g": {},
        "backbone": "vgg19",
    },
    "generator.pt": lambda s: {"state_dict": s, "backbone": "vgg19", "generator_variant": "baseline"},
    "params": lambda s: {"params": s},
    "params, data-parallel": lambda s: {"params": prefixed(s, "module.")},
    "params_ema": lambda s: {"params": {name: 0 * tensor for name, tensor in s.items()}, "params_ema": s},
    "model_state_dict": lambda s: {"model_state_dict": s, "optimizer_state_dict": {"state": {}}, "loss": np.float64(0.1)},
    "lightning": lambda s: {
        "epoch": 20,
        "global_step": 1000,
        "pytorch-lightning_version": "2.0.0",
        "state_dict": {**prefixed(s, "net_g."), **loss_network()},
        "loops": {},
        "callbacks": {},
        "optimizer_states": [{"state": {}}],
        "lr_schedulers": [],
    },
    "lightning, compiled, two prefixes": lambda s: {"state_dict": {**prefixed(s, "model.net_g._orig_mod."), **loss_network()}},
    "data-parallel": lambda s: prefixed(s, "module."),
    "data-parallel, compiled": lambda s: prefixed(s, "module._orig_mod."),
    "compiled, data-parallel": lambda s: prefixed(s, "_orig_mod.module."),
    "averages beside": lambda s: {"state_dict": {**{f"net.{n}": 0 * t for n, t in s.items()}, **prefixed(s, "net_ema.")}},
    "a network and its judge under any names": lambda s: {"mine": s, "judge": {"a.b": torch.ones(1)}, "best": np.float32(3)},
    "a wrapper of any name": lambda s: {"my_network": s, "epoch": 3},
    "wrapped twice": lambda s: {"model": {"state_dict": s}},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("new", [True, False])
def test_every_layout_gives_the_same_network(tmp_path, state, layout, new):
    path = tmp_path / "weights.pth"
    torch.save(LAYOUTS[layout](state), path, _use_new_zipfile_serialization=new)
    checkpoint = file.read(path)
    assert checkpoint.model == "limpid"
    assert set(checkpoint.tensors) == set(state)
    assert all(torch.equal(checkpoint.tensors[name], state[name]) for name in state)
    file.build(checkpoint, source="weights.pth")


def test_safetensors_without_our_word_are_recognised_too(tmp_path, state):
    save_file(dict(state), tmp_path / "model.safetensors")
    assert file.read(tmp_path / "model.safetensors").model == "limpid"


def test_what_a_file_says_is_kept(tmp_path, state):
    torch.save(LAYOUTS["lightning"](state), tmp_path / "dsr.ckpt")
    notes = file.read(tmp_path / "dsr.ckpt").notes
    assert notes["layout"] == "state_dict, prefix net_g."
    assert notes["says"] == {"epoch": 20, "global_step": 1000, "pytorch-lightning_version": "2.0.0"}


def test_numbers_that_are_none_are_kept_as_text(tmp_path, state):
    torch.save({"params": state, "loss": float("nan"), "psnr": np.float32(0.5), "long": "x" * 300}, tmp_path / "w.pt")
    assert file.read(tmp_path / "w.pt").notes["says"] == {"loss": "nan", "psnr": 0.5}


def test_usi3d_comes_as_a_dict_of_parts(tmp_path):
    network = create_model("usi3d", "tiny", training_parts=True).eval()
    parts = {part: getattr(network, part).state_dict() for part in ("i", "r", "s", "fs", "fm")}
    torch.save({**parts, "best_result": np.float64(0.5)}, tmp_path / "MPI.pt")
    checkpoint = file.read(tmp_path / "MPI.pt")
    assert checkpoint.model == "usi3d"
    assert checkpoint.settings["training_parts"] is True
    assert checkpoint.notes["says"] == {"best_result": 0.5}
    photo = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        assert torch.equal(file.build(checkpoint, source="MPI.pt")(photo).albedo, network(photo).albedo)


class TestTwoFiles:
    @pytest.fixture
    def network(self):
        return fresh("ibcln")

    def halves(self, network, folder, name="final_net_{}.pth"):
        for half in ("G_T", "G_R"):
            torch.save(getattr(network, half).state_dict(), folder / name.format(half))

    @pytest.mark.parametrize("half", ["G_T", "G_R"])
    @pytest.mark.parametrize("name", ["final_net_{}.pth", "{}.pt", "80_net_{}.pth"])
    def test_either_file_opens_both(self, tmp_path, network, half, name):
        self.halves(network, tmp_path, name)
        checkpoint = file.read(tmp_path / name.format(half))
        assert checkpoint.model == "ibcln"
        wanted = network.state_dict()
        assert set(checkpoint.tensors) == set(wanted)
        assert all(torch.equal(checkpoint.tensors[key], wanted[key]) for key in wanted)

    def test_one_file_with_prefixes_or_parts_opens_alone(self, tmp_path, network):
        torch.save(network.state_dict(), tmp_path / "both.pth")
        torch.save({half: getattr(network, half).state_dict() for half in ("G_T", "G_R")}, tmp_path / "parts.pth")
        for name in ("both.pth", "parts.pth"):
            assert file.read(tmp_path / name).model == "ibcln"

    def test_a_missing_half_is_named(self, tmp_path, network):
        self.halves(network, tmp_path)
        (tmp_path / "final_net_G_R.pth").unlink()
        with pytest.raises(WeightsError, match=r"other half final_net_G_R\.pth is not beside it"):
            file.read(tmp_path / "final_net_G_T.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": {"x": torch.ones(1)}, "b": {"y": torch.ones(1)}}, "no network known here.*first a.x, b.y"),
        ({"optimizer": {"lr": 0.1}, "epoch": 2}, "no state dict under a known name; it holds optimizer, epoch"),
        ([torch.ones(1)], "holds no state dict; found list"),
        ({}, "holds nothing"),
        ({"epoch": 3}, "it holds epoch"),
    ],
)
def test_a_file_without_a_state_dict_says_what_it_holds(tmp_path, content, message):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=message):
        file.read(tmp_path / "w.pt")


def test_a_mapping_that_holds_itself_ends(tmp_path):
    loop = {}
    loop["model"] = loop
    with pytest.raises(WeightsError, match="no state dict"):
        unwrap.unwrap(tmp_path / "w.pt", loop)


def test_two_networks_in_one_file_are_not_guessed_between(tmp_path, state):
    torch.save({**prefixed(state, "first."), **prefixed(state, "second.")}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"more than one network: limpid under 'first\.', limpid under 'second\.'"):
        file.read(tmp_path / "w.pt")


@pytest.mark.parametrize("name", catalogue.names("models"))
def test_every_network_is_recognised_from_its_bare_state_dict(tmp_path, name):
    network = fresh(name)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    checkpoint = file.read(tmp_path / "w.pth")
    assert checkpoint.model == name
    again = file.build(checkpoint, source="w.pth").state_dict()
    assert all(torch.equal(again[key], tensor) for key, tensor in network.state_dict().items())
