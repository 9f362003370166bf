"""Low precision computes layers, never photos."""

import pytest
import torch

from limpid.recipe.load import load
from limpid.training.assemble import assemble
from limpid.training.set_up import launch, set_up
from training_samples import recipe


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
