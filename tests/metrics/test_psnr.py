import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from limpid.blocks._torchvision import mend
from limpid.errors import ShapeError
from limpid.metrics import psnr_joint as joint_file
from limpid.metrics import psnr_y as luma_file
from limpid.metrics.psnr import CAP, capped_bands, metric, psnr
from limpid.metrics.psnr_joint import psnr_joint
from limpid.metrics.psnr_y import psnr_y


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (64, 48)])
def test_joint_psnr_is_that_of_scikit_image(size):
    draw = np.random.default_rng(3)
    estimate, target = (draw.random((3, *size)) for _ in range(2))
    expected = pytest.approx(peak_signal_noise_ratio(target, estimate, data_range=1.0), abs=1e-9)
    assert psnr_joint(torch.from_numpy(estimate), torch.from_numpy(target)) == expected


def test_joint_psnr_is_that_of_torchmetrics():
    if mend() == "absent":
        pytest.skip("torchvision is not installed")
    functional = pytest.importorskip("torchmetrics.functional.image")
    estimate, target = torch.rand(1, 31, 17), torch.rand(1, 31, 17)
    expected = float(functional.peak_signal_noise_ratio(estimate.double(), target.double(), data_range=1.0))
    assert psnr_joint(estimate, target) == pytest.approx(expected, abs=1e-6)  # its logarithms are float32


def test_bandwise_psnr_is_the_mean_over_the_bands():
    target = torch.zeros(3, 4, 4)
    estimate = torch.stack([torch.full((4, 4), value) for value in (0.1, 0.01, 0.001)])
    assert psnr(estimate, target) == pytest.approx((20 + 40 + 60) / 3, abs=1e-4)


def test_an_exact_band_counts_as_the_cap_and_not_as_infinity():
    target = torch.rand(3, 5, 5)
    assert psnr(target, target) == CAP
    estimate = target.clone()
    estimate[0] = (estimate[0] - 0.5).abs()
    assert CAP * 2 / 3 < psnr(estimate, target) < CAP


def test_what_was_capped_is_counted():
    target = torch.rand(3, 5, 5)
    estimate = target.clone()
    assert (metric().capped(estimate, target), capped_bands(estimate, target)) == (3, 3)
    estimate[0] = 1 - estimate[0]
    assert metric().capped(estimate, target) == 2
    for file in (joint_file, luma_file):
        assert file.metric().capped(estimate, target) == 0
        assert file.metric().capped(target, target) == 1
    assert joint_file.metric(offset=1e-8).capped(target, target) == 0  # 80 dB is no cap but the formula's own end


def test_the_estimate_is_clamped_and_not_rounded():
    target = torch.ones(3, 4, 4)
    assert psnr(target + 0.7, target) == CAP
    assert psnr(target - 0.001, target) == pytest.approx(60, abs=0.01)  # eight bits would make it exact


def test_clamping_and_offset_of_joint_psnr_are_settings():
    target = torch.ones(3, 4, 4)
    assert psnr_joint(target + 0.1, target) == CAP
    assert psnr_joint(target + 0.1, target, clamped=False) == pytest.approx(20, abs=1e-4)
    assert psnr_joint(target, target, offset=1e-8) == pytest.approx(80)
    assert joint_file.metric(clamped=False, offset=1e-8)(target + 0.1, target) == pytest.approx(20, abs=1e-4)


def test_luma_weighs_green_most_and_spans_219_steps():
    target = torch.zeros(3, 4, 4)
    for band, weight in enumerate((65.481, 128.553, 24.966)):
        estimate = target.clone()
        estimate[band] = 0.5
        assert psnr_y(estimate, target) == pytest.approx(-20 * math.log10(0.5 * weight / 255), abs=1e-9)


def test_differences_that_wrap_in_8_bits_do_not_wrap_here():
    # A difference of 16 has the square 256, which is 0 modulo 256: published tables called such photos perfect.
    target = torch.zeros(3, 8, 8)
    estimate = torch.full((3, 8, 8), 16 / 255)
    wrapped = (np.full(1, 16, np.uint8) - np.zeros(1, np.uint8)) ** 2
    assert wrapped.item() == 0
    assert psnr(estimate, target) == pytest.approx(20 * math.log10(255 / 16), abs=1e-4)
    # And below zero: 10 - 245 is 21 modulo 256.
    dark, bright = torch.full((3, 8, 8), 10 / 255), torch.full((3, 8, 8), 245 / 255)
    assert psnr(dark, bright) == psnr(bright, dark) == pytest.approx(20 * math.log10(255 / 235), abs=1e-4)


def test_sizes_must_agree():
    with pytest.raises(ShapeError, match=r"\(3, 4, 4\) and \(3, 4, 5\)"):
        psnr(torch.zeros(3, 4, 4), torch.zeros(3, 4, 5))
