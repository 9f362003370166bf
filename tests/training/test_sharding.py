"""Weights shared out among processes: the same gradients, the same steps, the same state as with whole ones."""

import re
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh

from limpid import catalogue
from limpid.errors import UsageError
from limpid.recipe.load import load
from limpid.training.procedure import FabricModule
from limpid.training.procedures.adversarial import CONDITIONAL, DISCRIMINATORS
from limpid.training.sharding import check_sharding, clip_shares, gathered, is_share, shard, shared_like, whole
from network_samples import tiny
from training_samples import DENOISE, curve, finish, recipe, state

ADVERSARIAL = {
    "procedure": {"name": "adversarial", "discriminator": "patch", "discriminator_width": 8},
    "losses": [{"name": "l1"}, {"name": "adversarial", "weight": 0.01, "form": "least_squares"}],
    "optimiser": {"name": "adam", "rate": 1e-3},
    "discriminator": {"name": "adam", "rate": 1e-3},
}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """A mesh of this process alone: what is shared out is all its own, by the same code."""
    store = torch.distributed.FileStore(str(tmp_path_factory.mktemp("mesh") / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    torch.distributed.destroy_process_group()


def gradients(module, *seen):
    """The gradient of every parameter that learns, after a backward pass of all that the module answers with."""
    torch.manual_seed(0)  # dropout
    answers = torch.utils._pytree.tree_leaves(module.train()(*seen))
    torch.stack([answer.float().square().mean() for answer in answers]).sum().backward()
    return {name: whole(one.grad) for name, one in module.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("name", catalogue.names("models"))
def test_a_network_of_shares_has_the_gradients_of_a_whole_one(mesh, name):
    plain = FabricModule(tiny(name))
    shared = shard(deepcopy(plain), mesh)
    photo = torch.rand(2, 3, 64, 64)
    expected, found = gradients(plain, photo), gradients(shared, photo)
    assert found.keys() == expected.keys()
    assert sum(map(is_share, shared.parameters())) > sum(not is_share(one) for one in shared.parameters() if one.requires_grad)
    for key, gradient in expected.items():
        assert float((found[key] - gradient).norm()) < 0.01 * float(gradient.norm()) + 1e-6, key


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_of_shares_rests_while_the_network_learns(mesh, name):
    torch.manual_seed(0)
    judge = shard(DISCRIMINATORS[name](), mesh)
    seen = [torch.rand(1, 3, 64, 64, requires_grad=True) for _ in range(2 if name in CONDITIONAL else 1)]
    assert not gradients(judge.requires_grad_(False), *seen)
    assert all(float(one.grad.abs().sum()) > 0 for one in seen)
    assert len(gradients(judge.requires_grad_(True), *seen)) == len(list(judge.parameters()))


class Mixed(nn.Module):
    """A weight that is shared out, one that is frozen, and a single number."""

    def __init__(self):
        super().__init__()
        self.learnt, self.number = nn.Parameter(torch.arange(6.0).reshape(3, 2)), nn.Parameter(torch.tensor(2.0))
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)

    def forward(self, value):
        return (self.learnt * self.number * self.frozen * value).sum()


def test_the_gradient_is_cut_over_shares_and_single_numbers_together(mesh):
    plain, shared = Mixed(), shard(Mixed(), mesh)
    assert [is_share(one) for one in (shared.learnt, shared.number, shared.frozen)] == [True, False, False]
    for module in (plain, shared):
        module(torch.tensor(1.0)).backward()
    expected = nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
    assert float(clip_shares(shared.parameters(), 0.5)) == pytest.approx(float(expected))
    assert torch.allclose(whole(shared.learnt.grad), plain.learnt.grad)
    assert torch.allclose(shared.number.grad, plain.number.grad)
    assert float(clip_shares([], 1.0)) == 0


def test_what_is_gathered_goes_back_to_its_shares(mesh):
    shared = shard(Mixed(), mesh)
    kept = gathered({"weights": [dict(shared.named_parameters())], "step": 3})
    assert kept["step"] == 3
    assert not any(map(is_share, kept["weights"][0].values()))
    assert torch.equal(kept["weights"][0]["learnt"], Mixed().learnt)
    back = shared_like(kept["weights"][0]["learnt"], shared.learnt)
    assert is_share(back)
    assert torch.equal(whole(back), Mixed().learnt)
    assert shared_like(kept["weights"][0]["number"], shared.number) is kept["weights"][0]["number"]


@pytest.mark.parametrize(
    ("change", "why"),
    [("train.compile=true", "train.compile; leave that out"), ("train.precision=float16", "precision=bfloat16")],
)
def test_what_does_not_go_with_shares_is_refused_by_name(tmp_path, change, why):
    words = [change, "PHOTOS=x", "HELD=x"]
    check_sharding(load(recipe(tmp_path / "sample.yaml"), words).recipe)
    with pytest.raises(UsageError, match=why):
        check_sharding(load(recipe(tmp_path / "sample.yaml"), [*words, "train.strategy=fsdp"]).recipe)


def test_an_older_pytorch_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.__version__", "2.6.0+cpu")
    with pytest.raises(UsageError, match=r"needs PyTorch 2\.9 or later, this is 2\.6\.0\+cpu, or take --strategy ddp"):
        check_sharding(load(recipe(tmp_path / "sample.yaml"), ["train.strategy=fsdp", "PHOTOS=x", "HELD=x"]).recipe)


@pytest.mark.exhaustive
def test_two_processes_of_shares_follow_two_of_whole_networks(tmp_path, given):
    text = recipe(
        tmp_path / "two.yaml", {**DENOISE, **ADVERSARIAL, "data": {**DENOISE["data"], "epoch": 16}, "train": {"epochs": 1}}
    )
    words = [*given, "data.batch=1", "--devices", 2, "--device", "cpu", "train.accumulate=2", "train.clip=0.05"]
    for strategy in ("ddp", "fsdp"):
        done = finish(text, *words, "--strategy", strategy, "--name", strategy, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    whole_run, shared_run = (tmp_path / "runs" / strategy for strategy in ("ddp", "fsdp"))
    assert curve(shared_run) == pytest.approx(curve(whole_run), rel=1e-3)
    same(state(whole_run), state(shared_run))


@pytest.mark.exhaustive
def test_shares_go_on_as_whole_weights_and_back(tmp_path, given):
    text = recipe(tmp_path / "denoise.yaml", {**DENOISE, **ADVERSARIAL, "train": {"epochs": 1}})
    two = ["data.batch=1", "--devices", 2, "--device", "cpu", "--strategy", "fsdp"]
    for name, stages in {"one": [["data.batch=2"]], "several": [two, ["data.batch=2"], two]}.items():
        for number, words in enumerate(stages, 1):
            ends = ["--max-steps", 6 * number] if number < len(stages) else []
            more = ["--resume"] if number > 1 else []
            done = finish(text, *given, *words, *ends, *more, "--name", name, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
    assert curve(tmp_path / "runs/several") == pytest.approx(curve(tmp_path / "runs/one"), rel=1e-3)


BEFORE_A_NORM = re.compile(r"discriminator\.model\.\d+\.bias$")
"""What a norm takes away has no gradient but rounding, which Adam makes as large as any other."""


def same(one, other, place="state"):
    """Fail where two states differ by more than the order of a sum."""
    if BEFORE_A_NORM.search(place):
        return
    if isinstance(one, torch.Tensor):
        assert torch.allclose(other, one, rtol=1e-2, atol=1e-5), place
    elif isinstance(one, dict) and not place.endswith((".logger", ".losses")):
        assert one.keys() == other.keys(), place
        for key in one:
            same(one[key], other[key], f"{place}.{key}")
