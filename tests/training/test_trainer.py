"""What a run refuses, what it leaves, and what it does when numbers stop being numbers."""

import json

import pytest
import torch

from limpid.checkpoints import file
from limpid.errors import DataError, NoRoomError, SettingError, UsageError, WeightsError
from limpid.losses.l1 import L1, l1
from limpid.recipe.load import load
from limpid.runtime.load import load as load_weights
from limpid.training.dry_run import dry_run
from limpid.training.loop import NotFiniteError
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe, score_run
from training_samples import recipe, state


@pytest.fixture
def run(tmp_path, given):
    """A function that trains a changed sample recipe in this process."""

    def go(*changes, overrides=(), **wishes):
        loaded = load(recipe(tmp_path / "sample.yaml", *changes), [*given, *overrides])
        return run_recipe(loaded, tmp_path / "run", TrainOptions(quiet=True, **wishes))

    return go


def test_what_a_run_leaves(run, tmp_path):
    run({"log": {"images": 2, "save_every": 1}})
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"recipe.yaml", "metrics.csv", "metrics.jsonl", "epochs.csv", "train.log", "tensorboard", "last.pt", "best.json"} <= left
    assert {"epoch_0001", "epoch_0002", "epoch_0001.safetensors", "epoch_0002.safetensors"} <= left
    best = tmp_path / "run" / json.loads((tmp_path / "run/best.json").read_text())[0]["file"]
    checkpoint = file.read(best)
    assert checkpoint.model == "limpid"
    assert "name: sample" in checkpoint.notes["recipe"]
    assert {tensor.dtype for tensor in checkpoint.tensors.values()} == {torch.float16}
    assert load_weights(best)(torch.rand(3, 33, 47)).transmission.shape == (3, 33, 47)
    assert len(list((tmp_path / "run/epoch_0001").rglob("t_output.png"))) == 2


def test_the_state_holds_the_average_that_is_published(run, tmp_path):
    run()
    last = state(tmp_path / "run")
    best = file.read(tmp_path / "run" / json.loads((tmp_path / "run/best.json").read_text())[0]["file"])
    name = "intro.weight"
    assert not torch.equal(last["ema"][name], last["modules"]["network"][name])
    if best.notes["epoch"] == 2:
        assert torch.equal(best.tensors[name], last["ema"][name].half())


def test_the_test_alone_needs_weights_and_says_scores(run, tmp_path, given, capsys):
    loaded = load(recipe(tmp_path / "sample.yaml"), given)
    with pytest.raises(UsageError, match="no weights to test"):
        score_run(loaded, tmp_path / "run", TrainOptions())
    run()
    assert score_run(loaded, tmp_path / "run", TrainOptions()) == 0
    assert "on validation: psnr" in capsys.readouterr().err


def test_a_folder_in_use_is_not_touched(run, tmp_path):
    run(overrides=["train.epochs=1"])
    before = (tmp_path / "run/metrics.csv").read_bytes()
    with pytest.raises(UsageError, match="holds a run; go on with --resume"):
        run()
    with pytest.raises(UsageError, match=r"data\.batch: 2 then, 4 now"):
        run(overrides=["data.batch=4"], resume=True)
    assert (tmp_path / "run/metrics.csv").read_bytes() == before
    run(overrides=["train.epochs=2"], resume=True)
    assert state(tmp_path / "run")["step"] == 8


def test_there_is_nothing_to_resume(run):
    with pytest.raises(UsageError, match="holds no run to resume"):
        run(resume=True)


@pytest.fixture
def degrade(monkeypatch):
    """A function after which calls ``first`` … ``last`` of the L1 loss give NaN, or raise ``error``."""

    def arrange(first, last, error=None):
        calls = []

        def forward(self, estimate, target):
            calls.append(0)
            if first <= len(calls) <= last:
                if error is not None:
                    raise error
                return l1(estimate, target) * float("nan")
            return l1(estimate, target)

        monkeypatch.setattr(L1, "forward", forward)

    return arrange


ONE_TERM = {"losses": [{"name": "l1"}]}


def test_a_step_without_finite_loss_is_skipped_and_counted(run, tmp_path, degrade):
    degrade(3, 4)
    run(ONE_TERM)
    last = state(tmp_path / "run")
    assert (last["step"], last["skipped"]) == (8, 2)
    log = (tmp_path / "run/train.log").read_text()
    assert "step 3 left out: its loss or gradient is no number (1 so far)" in log
    assert "step 4 left out: its loss or gradient is no number (2 so far)" in log
    assert all(torch.isfinite(tensor).all() for tensor in last["modules"]["network"].values())
    assert {int(one["step"]) for one in last["optimisers"]["network"]["state"].values()} == {6}


def test_ten_steps_in_a_row_without_finite_loss_stop_the_run_with_its_state(run, tmp_path, degrade):
    degrade(3, 99)
    with pytest.raises(NotFiniteError, match=r"10 steps in a row .*step 12.*state is saved.*Lower optimiser.rate"):
        run(ONE_TERM, {"train": {"epochs": 10}})
    last = state(tmp_path / "run")
    assert (last["step"], last["skipped"]) == (12, 10)
    assert all(torch.isfinite(tensor).all() for tensor in last["modules"]["network"].values())


def test_a_gradient_that_is_not_finite_moves_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setattr(L1, "forward", lambda self, estimate, target: (estimate - estimate).clamp(min=0).sqrt().sum())
    with pytest.raises(NotFiniteError):
        run(ONE_TERM, {"train": {"epochs": 10}})
    assert state(tmp_path / "run")["optimisers"]["network"]["state"] == {}


def test_too_little_memory_says_what_to_lower(run, degrade):
    degrade(2, 2, RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"))
    with pytest.raises(NoRoomError, match=r"batch 2 of 32×32 photos, float32\. Lower data\.batch .*data\.augment\.crop"):
        run(ONE_TERM)
    degrade(1, 1, RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        run(ONE_TERM, overrides=["name=other"], resume=True, force=True)


def test_bad_data_is_stated_before_the_first_step(run, tmp_path, places):
    with pytest.raises(DataError, match=r"a step takes 64 items, an epoch has 8"):
        run(overrides=["data.batch=64"])
    with pytest.raises(DataError, match="validation holds files that are also trained on"):
        run(overrides=[f"HELD={places['PHOTOS']}"])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="holds no photo"):
        run(overrides=[f"PHOTOS={empty}"])
    assert not (tmp_path / "run").exists()


def test_terms_that_need_others_are_refused_by_name(run):
    with pytest.raises(SettingError, match="belongs to the procedure adversarial"):
        run({"losses": [{"name": "l1"}, {"name": "adversarial"}]})
    with pytest.raises(SettingError, match="needs one adversarial loss"):
        run({"procedure": {"name": "adversarial"}, "discriminator": {"name": "adam", "rate": 1e-4}})
    with pytest.raises(UsageError, match=r"sample\.yaml:\d+.*layer of this network.*transmision.*did you mean 'transmission'"):
        run({"losses": [{"name": "l1", "on": ["transmision"]}]})


def test_another_checkpoint_starts_the_network(run, tmp_path, given):
    run()
    first = next((tmp_path / "run").glob("best_epoch_*.safetensors"))
    loaded = load(recipe(tmp_path / "sample.yaml"), [*given, "optimiser.rate=0"])
    run_recipe(loaded, tmp_path / "second", TrainOptions(init=first, max_steps=1, quiet=True))
    held, begun = file.read(first).tensors, state(tmp_path / "second")["modules"]["network"]
    assert all(torch.equal(tensor.float(), begun[name]) for name, tensor in held.items())
    other = load(recipe(tmp_path / "sample.yaml"), [*given, "model.width=16"])
    with pytest.raises(WeightsError, match="does not fit this recipe"):
        run_recipe(other, tmp_path / "third", TrainOptions(init=first, quiet=True))


def test_a_dry_run_shows_what_would_happen(tmp_path, given):
    loaded = load(recipe(tmp_path / "sample.yaml"), given)
    text = dry_run(loaded, tmp_path / "run", TrainOptions(device="cpu"))
    for part in ("name: sample", "parameters     network 0.07 M", "steps          8 in 2 epochs of 8 photos", "input 2×3×32×32"):
        assert part in text
    assert (tmp_path / "run/first_batches.png").stat().st_size > 2000
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"first_batches.png"}
    run_recipe(loaded, tmp_path / "run", TrainOptions(max_steps=1, quiet=True))  # the sheet is not in its way


def test_accumulated_batches_make_the_step_of_one_large_batch(run, tmp_path, given):
    steps = {}
    for name, overrides in (("large", ["data.batch=4"]), ("small", ["data.batch=1", "train.accumulate=4"])):
        loaded = load(recipe(tmp_path / "sample.yaml", {"optimiser": {"name": "sgd", "rate": 0.1}}), [*given, *overrides])
        run_recipe(loaded, tmp_path / name, TrainOptions(quiet=True))
        steps[name] = state(tmp_path / name)
    assert steps["large"]["step"] == steps["small"]["step"] == 4
    for name, tensor in steps["large"]["modules"]["network"].items():
        assert torch.allclose(tensor, steps["small"]["modules"]["network"][name], atol=1e-6), name


def test_a_compiled_network_takes_the_steps_of_the_other(run, tmp_path, given, monkeypatch):
    """The compiler itself is torch's affair and takes minutes: what it is handed, and that its work is used, is ours."""
    asked, used = [], []

    def stand_in(forward, **wishes):
        asked.append(wishes)
        return lambda *given: used.append(len(given)) or forward(*given)

    monkeypatch.setattr(torch, "compile", stand_in)
    run()
    plain = state(tmp_path / "run")
    assert not asked
    loaded = load(recipe(tmp_path / "sample.yaml"), [*given, "train.compile=true"])
    run_recipe(loaded, tmp_path / "compiled", TrainOptions(quiet=True))
    compiled = state(tmp_path / "compiled")
    assert asked == [{"mode": "reduce-overhead", "dynamic": False}]
    assert len(used) == compiled["step"] == plain["step"]  # scores use the average, which is not compiled
    for name, tensor in plain["modules"]["network"].items():
        assert torch.equal(tensor, compiled["modules"]["network"][name]), name
