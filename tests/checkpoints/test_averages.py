"""Averaged weights beside raw ones: the averaged are taken and it is said; ``raw`` takes the others."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from limpid import create_model
from limpid.checkpoints import file
from limpid.checkpoints.inspect import inspect
from limpid.errors import WeightsError

CASES = Path(__file__).parents[3] / "shared" / "cases"


def network(seed):
    torch.manual_seed(seed)
    return create_model("unet", "tiny").state_dict()


@pytest.fixture(scope="module")
def averaged():
    return network(0)


@pytest.fixture(scope="module")
def raw():
    return network(1)


def under(prefix, state):
    return {prefix + name: tensor for name, tensor in state.items()}


PAIRS = {  # what is written of raw and averaged weights by which training code
    "timm": lambda r, a: {"state_dict": r, "state_dict_ema": a, "epoch": 3},
    "DeiT": lambda r, a: {"model": r, "model_ema": a},
    "plain": lambda r, a: {"model": r, "ema": a},
    "YOLO": lambda r, a: {"model": r, "ema": {"state_dict": a, "updates": 100}},
    "BasicSR": lambda r, a: {"params": r, "params_ema": a},
    "two generators": lambda r, a: {"net_g": r, "net_g_ema": a, "net_d": {"a.b": torch.ones(1)}},
    "word first": lambda r, a: {"model_state_dict": r, "ema_state_dict": a},
    "generator": lambda r, a: {"generator": r, "generator_ema": a},
    "torch_ema": lambda r, a: {"model": r, "ema": {"decay": 0.999, "shadow": a}},
    "shadow": lambda r, a: {"network": r, "shadow": a},
    "swa": lambda r, a: {"state_dict": r, "swa_state_dict": a},
    "averaged model": lambda r, a: {"model": r, "averaged_model": {"n_averaged": torch.tensor(3), **under("module.", a)}},
    "EMA": lambda r, a: {"model": r, "modelEMA": a},
    "prefixes": lambda r, a: {"state_dict": {**under("net.", r), **under("net_ema.", a)}},
    "bare prefixes": lambda r, a: {**under("model.", r), **under("ema_model.", a)},
    "an average with its own copy": lambda r, a: {"model": r, "ema": {"ema_model": a, "online_model": r}},
    "half precision": lambda r, a: {"model": r, "ema": {name: tensor.half() for name, tensor in a.items()}},
}


def same(found, wanted):
    return found.keys() == wanted.keys() and all(torch.allclose(found[name].float(), wanted[name], atol=1e-3) for name in wanted)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_either_is_taken_and_it_is_said(tmp_path, raw, averaged, pair, reverse):
    content = PAIRS[pair](raw, averaged)
    torch.save(dict(reversed(content.items())) if reverse else content, tmp_path / "w.pth")
    by_default, wanted = file.read(tmp_path / "w.pth"), file.read(tmp_path / "w.pth", "raw")
    assert same(by_default.tensors, averaged)
    assert same(wanted.tensors, raw)
    assert any(text.startswith("takes the averaged weights") and "--weights raw" in text for text in by_default.remarks)
    assert any(text.startswith("takes the raw weights") for text in wanted.remarks)


SINGLES = {
    "alone": lambda s: s,
    "averaged alone": lambda s: {"ema": s},
    "an average of the judge": lambda s: {"net_g": s, "net_d": {"a.b": torch.ones(1)}, "net_d_ema": {"a.b": torch.ones(1)}},
    "a mean loss": lambda s: {"state_dict": s, "loss_avg": 0.3, "ema_decay": 0.999},
}


@pytest.mark.parametrize("layout", SINGLES)
@pytest.mark.parametrize("weights", ["averaged", "raw"])
def test_one_set_is_taken_whatever_was_asked_for(tmp_path, raw, layout, weights):
    torch.save(SINGLES[layout](raw), tmp_path / "w.pth")
    checkpoint = file.read(tmp_path / "w.pth", weights)
    assert same(checkpoint.tensors, raw)
    assert not any(text.startswith("takes the") for text in checkpoint.remarks)
    assert any("one set of weights" in text for text in checkpoint.remarks) is (weights == "raw")


def test_buffers_that_an_average_lacks_come_from_the_raw_weights(tmp_path):
    state = create_model("hypercolumn", "tiny").state_dict()
    trained = {name: tensor + 1 for name, tensor in state.items() if "running_" not in name and tensor.is_floating_point()}
    torch.save({"state_dict": state, "ema": trained}, tmp_path / "w.pth")
    found = file.read(tmp_path / "w.pth").tensors
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], trained.get(name, state[name])) for name in state)


def test_both_files_of_ibcln_are_averaged(tmp_path):
    state = create_model("ibcln", "tiny").state_dict()
    for half in ("G_T", "G_R"):
        own = {name.removeprefix(f"{half}."): tensor for name, tensor in state.items() if name.startswith(half)}
        torch.save({"model": {name: 0 * tensor for name, tensor in own.items()}, "ema": own}, tmp_path / f"3_net_{half}.pth")
    checkpoint = file.read(tmp_path / "3_net_G_R.pth")
    assert same(checkpoint.tensors, state)
    assert float(sum(tensor.abs().sum() for tensor in file.read(tmp_path / "3_net_G_T.pth", "raw").tensors.values())) == 0


def test_counters_of_profilers_are_left_out(tmp_path, raw):
    counted = dict(raw)
    for name in [*{name.rpartition(".")[0] for name in raw}, "middle_blks", ""]:
        counted |= {f"{name}.total_ops".strip("."): torch.zeros(1), f"{name}.total_params".strip("."): torch.zeros(1)}
    torch.save({"state_dict": {**counted, "n_averaged": torch.tensor(7)}}, tmp_path / "w.pth")
    save_file(counted, tmp_path / "w.safetensors")
    for name in ("w.pth", "w.safetensors"):
        assert same(file.read(tmp_path / name).tensors, raw)


def test_a_shorter_network_with_counters_says_what_is_missing_under_our_names(tmp_path):
    torch.manual_seed(0)
    state = {name.replace(".attention.", ".sca."): value for name, value in create_model("nafnet", "tiny").state_dict().items()}
    state.pop("ending.bias")
    torch.save({**state, "total_ops": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"nearest is nafnet \(tiny\): 1 missing: ending\.bias$"):
        file.read(tmp_path / "w.pth")


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize("case", sorted(path.relative_to(CASES) for path in CASES.glob("1[2-5]-*/*.pth")), ids=str)
def test_files_as_people_have_them_are_opened(case):
    assert inspect(CASES / case).size == "tiny"
