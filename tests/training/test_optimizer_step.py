"""One step: how far the weights go, what is averaged over micro-batches, and when nothing moves."""

import pytest
import torch
from lightning_fabric import Fabric

from limpid.training.optimizer_step import OptimizerSlot, optimizer_step
from procedure_samples import Scaled, batch, procedure, term


def stepped(network, batches, *, clip=None, terms=None, rate=1.0):
    """The result of one step of plain gradient descent, and how far it moved the two weights."""
    fabric = Fabric(accelerator="cpu", devices=1)
    supervised = procedure("supervised", terms or [term("mse", 10.0)], network)
    module = supervised.networks["network"]
    before = weights(network)
    supervised.networks["network"], optimiser = fabric.setup(module, torch.optim.SGD(module.parameters(), lr=rate))
    result = optimizer_step(fabric, supervised, "network", OptimizerSlot(optimiser=optimiser, clip=clip), batches, 0)
    return result, weights(network) - before


def weights(network):
    return torch.stack([network.a.detach(), network.b.detach()])


def test_a_gradient_longer_than_the_limit_is_cut_to_it_and_keeps_its_direction():
    _, free = stepped(Scaled(), [batch()])
    result, cut = stepped(Scaled(), [batch()], clip=0.01)
    assert float(free.norm()) > 0.1
    assert result.moved
    assert float(cut.norm()) == pytest.approx(0.01, rel=1e-3)
    assert torch.allclose(cut / cut.norm(), free / free.norm(), atol=1e-4)


def test_a_gradient_within_the_limit_is_left_alone():
    _, free = stepped(Scaled(), [batch()])
    _, limited = stepped(Scaled(), [batch()], clip=1e3)
    assert torch.equal(free, limited)


def test_micro_batches_make_the_step_of_their_mean():
    one, other = batch(seed=1), batch(seed=2)
    _, first = stepped(Scaled(), [one])
    _, second = stepped(Scaled(), [other])
    result, both = stepped(Scaled(), [one, other])
    assert torch.allclose(both, (first + second) / 2, atol=1e-6)
    alone = [stepped(Scaled(), [each])[0].values["loss"] for each in (one, other)]
    assert result.values["loss"] == pytest.approx(sum(alone) / 2, rel=1e-5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_moves_nothing_even_after_good_ones(bad):
    broken = batch(seed=2)
    broken.input.fill_(bad)
    result, moved = stepped(Scaled(), [batch(seed=1), broken])
    assert not result.moved
    assert moved.tolist() == [0, 0]


def test_a_loss_without_a_gradient_moves_nothing_and_is_no_fault():
    result, moved = stepped(Scaled(), [batch()], terms=[term("l1", kinds=("unaligned",))])
    assert result.values == {"loss": 0.0, "l1": 0.0}
    assert result.moved
    assert moved.tolist() == [0, 0]
