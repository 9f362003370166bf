"""A training made ready: what a recipe says of precision and clipping is what its steps do."""

import pytest
import torch

from limpid.recipe.load import load
from limpid.training.assemble import assemble
from limpid.training.options import TrainOptions
from limpid.training.set_up import launch, set_up
from limpid.training.trainer import run_recipe
from training_samples import recipe, state


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_the_photo_enters_the_network_unrounded(tmp_path, given, precision):
    loaded = load(recipe(tmp_path / "sample.yaml"), [*given, f"train.precision={precision}"])
    fabric = launch(loaded.recipe, "cpu")
    assembly = assemble(loaded)
    run = set_up(loaded, assembly, fabric, resume=None, init=None, force=False)
    seen, inner = [], []
    assembly.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    assembly.network.intro.register_forward_hook(lambda module, inputs, output: inner.append(output.dtype))
    batches = run.batches(assembly.stream, assembly.task)
    first = next(iter(run.batches(assembly.stream, assembly.task)))[0]
    done = next(run.steps(batches))
    assert seen[0].dtype == torch.float32
    assert torch.equal(seen[0], first.input)
    assert inner[0] == getattr(torch, precision)
    assert 0 < done.values["loss"] < 10


@pytest.mark.parametrize(("clip", "far"), [("1e-4", False), ("null", True)])
def test_a_step_goes_no_further_than_the_recipe_lets_it(tmp_path, given, clip, far):
    plain = {"optimiser": {"name": "sgd", "rate": 1.0, "momentum": 0.0}, "schedule": {"name": "constant"}}
    loaded = load(recipe(tmp_path / "sample.yaml", plain), [*given, f"train.clip={clip}"])
    first = {name: tensor.clone() for name, tensor in assemble(loaded).network.state_dict().items()}
    run_recipe(loaded, tmp_path / "run", TrainOptions(max_steps=1, quiet=True))
    moved = torch.cat([(tensor - first[name]).flatten() for name, tensor in state(tmp_path / "run")["modules"]["network"].items()])
    assert (float(moved.double().norm()) > 1.1e-4) == far
    assert float(moved.abs().max()) > 0
