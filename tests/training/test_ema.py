"""The average of weights: how much of it each step replaces, and what it copies or shares instead."""

import pytest
import torch
from torch import nn

from limpid.layers.network import LayerNetwork
from limpid.recipe.load import load
from limpid.training.assemble import assemble
from limpid.training.ema import EMA
from limpid.training.options import TrainOptions
from limpid.training.trainer import run_recipe
from training_samples import recipe, state


class Parts(LayerNetwork):
    """A weight that learns, one that is frozen, and a buffer."""

    def __init__(self):
        super().__init__()
        self.learnt, self.frozen = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2), requires_grad=False)
        self.register_buffer("count", torch.zeros(1))


def moved(network, value):
    with torch.no_grad():
        network.learnt.fill_(value)
        network.count.fill_(value)
    return network


@pytest.mark.parametrize("decay", [0.9, 0.999])
def test_late_in_a_run_a_step_replaces_one_minus_decay_of_the_average(decay):
    network = Parts()
    average = EMA(network, decay)
    for step, expected in ((10**6, 1 - decay), (10**6 + 1, 1 - decay**2)):
        average.update(moved(network, 1.0), step)
        assert average.network.learnt.tolist() == pytest.approx([expected] * 2, rel=1e-4)


def test_early_in_a_run_the_start_is_forgotten():
    """k = (1 + n) / (10 + n), written out: after the first step 9/11 of the average are its weights, after the second 9/12."""
    network = Parts()
    average = EMA(network, 0.999)
    average.update(moved(network, 1.0), 1)
    assert average.network.learnt.tolist() == pytest.approx([9 / 11] * 2)
    average.update(moved(network, 2.0), 2)
    assert average.network.learnt.tolist() == pytest.approx([3 / 12 * 9 / 11 + 9 / 12 * 2] * 2)


def test_buffers_are_copied_and_frozen_weights_shared():
    network = Parts()
    average = EMA(network, 0.9)
    assert average.network.frozen is network.frozen
    assert average.network.learnt is not network.learnt
    average.update(moved(network, 5.0), 10**6)
    assert average.network.count.tolist() == [5.0]
    assert average.network.count.data_ptr() != network.count.data_ptr()


def test_without_decay_the_average_is_the_network():
    network = Parts()
    average = EMA(network, 0.0)
    average.update(moved(network, 3.0), 1)
    assert average.network is network


def test_a_run_counts_its_steps_from_one(tmp_path, given):
    loaded = load(recipe(tmp_path / "sample.yaml", {"train": {"ema": 0.999}}), given)
    first = {name: tensor.clone() for name, tensor in assemble(loaded).network.state_dict().items()}
    run_recipe(loaded, tmp_path / "run", TrainOptions(max_steps=1, quiet=True))
    after = state(tmp_path / "run")
    for name, tensor in after["modules"]["network"].items():
        assert torch.allclose(after["ema"][name], 2 / 11 * first[name] + 9 / 11 * tensor, atol=1e-6), name
