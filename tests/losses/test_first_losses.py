import pytest
import torch

from limpid import catalogue
from limpid.losses.gradient import gradient
from limpid.losses.l1 import l1


def test_l1_is_the_mean_absolute_difference():
    estimate, target = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[[[0.5, 0.75]]]])
    assert float(l1(estimate, target)) == pytest.approx(0.375)


def test_gradient_ignores_what_is_added_everywhere_and_counts_slopes():
    flat = torch.zeros(1, 3, 8, 8)
    ramp = torch.arange(8.0).expand(1, 3, 8, 8) * 0.1  # rises by 0.1 from column to column
    assert float(gradient(flat + 0.4, flat)) == 0
    assert float(gradient(ramp, flat)) == pytest.approx(0.1)
    assert float(gradient(ramp + ramp.transpose(2, 3), flat)) == pytest.approx(0.2)


@pytest.mark.parametrize("name", catalogue.names("losses"))
def test_a_loss_is_zero_for_equal_images_and_differentiable(name):
    loss, target = catalogue.find("losses", name).build(), torch.rand(2, 3, 9, 7)
    assert float(loss(target, target)) == 0
    estimate = torch.rand(2, 3, 9, 7, requires_grad=True)
    loss(estimate, target).backward()
    assert bool(torch.isfinite(estimate.grad).all())
    assert float(estimate.grad.abs().sum()) > 0
