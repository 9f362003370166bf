import pytest
import torch

from limpid.errors import ShapeError
from limpid.metrics._permutation import best_permutation
from limpid.metrics.psnr_joint import psnr_joint
from limpid.metrics.psnr_permuted import psnr_permuted
from limpid.metrics.si_mse import si_mse


def test_the_better_order_is_found_and_its_mean_returned():
    truths = [torch.rand(3, 8, 8) for _ in range(3)]
    estimates = [truths[2], truths[0] * 0.9, truths[1] * 0.8]
    value, order = best_permutation(estimates, truths, psnr_joint)
    assert order == (1, 2, 0)
    assert value == pytest.approx(sum(psnr_joint(estimates[order[place]], truths[place]) for place in range(3)) / 3)
    assert best_permutation(estimates, truths, si_mse, higher=False)[1] == (1, 2, 0)


def test_each_truth_needs_an_estimate():
    with pytest.raises(ShapeError, match="got 1 for 2"):
        best_permutation([torch.rand(3, 2, 2)], [torch.rand(3, 2, 2)] * 2, psnr_joint)


def test_stacked_layers_are_scored_in_their_better_order():
    truths = [torch.rand(3, 8, 8) for _ in range(3)]
    estimates = [truths[1] * 0.8, truths[2], truths[0] * 0.9]
    expected = (psnr_joint(truths[0] * 0.9, truths[0]) + psnr_joint(truths[1] * 0.8, truths[1]) + 100) / 3
    assert psnr_permuted(torch.cat(estimates), torch.cat(truths)) == pytest.approx(expected)
    with pytest.raises(ShapeError, match="layers of 3 bands each"):
        psnr_permuted(torch.rand(4, 8, 8), torch.rand(4, 8, 8))
