"""NCC, LMSE and si-MSE against plain loops over the definitions."""

import math

import numpy as np
import pytest
import torch

from limpid.errors import SettingError, ShapeError
from limpid.metrics.lmse import lmse
from limpid.metrics.ncc import ncc
from limpid.metrics.si_mse import si_mse
from metrics.pairs import SIZES, pair, tensors


def slow_lmse(estimate, target, window, step):
    missed = total = 0.0
    for x, y in zip(estimate, target, strict=True):
        for top in range(0, x.shape[0] - window + 1, step):
            for left in range(0, x.shape[1] - window + 1, step):
                part = np.s_[top : top + window, left : left + window]
                energy = (x[part] ** 2).sum()
                alpha = (x[part] * y[part]).sum() / energy if energy > 1e-5 / 255**2 else 0.0
                missed += ((y[part] - alpha * x[part]) ** 2).sum()
                total += (y[part] ** 2).sum()
    return missed / total


@pytest.mark.parametrize("size", [(20, 20), (47, 61), (224, 39)])
@pytest.mark.parametrize("channels", [1, 3])
def test_lmse_is_the_loop_over_windows(size, channels):
    estimate, target = pair(size, channels)
    assert lmse(*tensors(estimate, target)) == pytest.approx(slow_lmse(estimate, target, 20, 10), rel=1e-9)


def test_windows_of_lmse_may_follow_the_size_of_the_photo():
    estimate, target = pair((90, 130))
    assert lmse(*tensors(estimate, target), share=0.1) == pytest.approx(slow_lmse(estimate, target, 13, 6), rel=1e-9)
    assert lmse(*tensors(estimate, target), window=8) == pytest.approx(slow_lmse(estimate, target, 8, 4), rel=1e-9)
    with pytest.raises(SettingError, match=r"lmse\.share"):
        lmse(*tensors(estimate, target), share=0.0)
    with pytest.raises(ShapeError, match="at least 20 px"):
        lmse(torch.rand(3, 19, 40), torch.rand(3, 19, 40))


def test_lmse_is_blind_to_brightness_and_black_windows_explain_nothing():
    target = torch.from_numpy(pair((40, 40))[1])
    assert lmse(0.25 * target, target) == pytest.approx(0, abs=1e-12)
    assert lmse(torch.zeros_like(target), target) == 1.0
    assert math.isnan(lmse(target, torch.zeros_like(target)))


def test_the_estimate_of_lmse_is_clamped_unless_its_scale_is_free():
    target = torch.from_numpy(pair((40, 40))[1])
    assert lmse(3 * target, target, clamped=False) == pytest.approx(0, abs=1e-12)
    assert lmse(3 * target, target) > 0.01


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_ncc_is_the_correlation_of_all_values(size, channels):
    estimate, target = pair(size, channels)
    assert ncc(*tensors(estimate, target)) == pytest.approx(np.corrcoef(estimate.ravel(), target.ravel())[0, 1], abs=1e-10)


def test_ncc_of_a_constant_photo_has_no_value():
    photo = torch.rand(3, 9, 9)
    assert math.isnan(ncc(torch.full((3, 9, 9), 0.6), photo))
    assert math.isnan(ncc(photo, torch.full((3, 9, 9), 0.3)))


def test_ncc_of_faint_photos_keeps_its_digits():
    draw = np.random.default_rng(5)
    estimate, target = (0.9 + 1e-4 * draw.random((3, 50, 50)) for _ in range(2))
    target = 0.5 * target + 0.5 * estimate
    assert ncc(*tensors(estimate, target)) == pytest.approx(np.corrcoef(estimate.ravel(), target.ravel())[0, 1], abs=1e-6)


def test_si_mse_is_the_residual_of_least_squares():
    estimate, target = pair((23, 31))
    residual = np.linalg.lstsq(estimate.reshape(-1, 1), target.ravel(), rcond=None)[1]
    assert si_mse(*tensors(estimate, target)) == pytest.approx(residual.item() / target.size, rel=1e-9)
    assert si_mse(*tensors(5 * estimate, target)) == pytest.approx(residual.item() / target.size, rel=1e-9)
    black = torch.zeros(3, 23, 31)
    assert si_mse(black, torch.from_numpy(target)) == pytest.approx((target**2).mean())
