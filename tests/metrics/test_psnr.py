from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from limpid import read
from limpid.errors import ShapeError
from limpid.metrics.psnr import CAP, psnr

TABLE2 = Path(__file__).parents[3] / "shared" / "data" / "ceilnet_synthetic"
GOLDEN = {  # specs/evaluation.md §8: field PSNR and joint PSNR of the untouched input
    "2007_003506": (22.0128, 21.7482),
    "2007_003525": (22.8733, 20.6355),
    "2007_003571": (15.0890, 15.0672),
    "2012_003521": (10.3738, 10.3062),
}


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (64, 48)])
def test_joint_psnr_is_that_of_scikit_image(size):
    draw = np.random.default_rng(3)
    estimate, target = (draw.random((3, *size)) for _ in range(2))
    ours = psnr(torch.from_numpy(estimate), torch.from_numpy(target), joint=True)
    assert ours == pytest.approx(peak_signal_noise_ratio(target, estimate, data_range=1.0), abs=1e-9)


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


def test_the_estimate_is_clamped_and_not_rounded():
    target = torch.ones(3, 4, 4)
    assert psnr(target + 0.7, target) == CAP
    assert psnr(target - 0.001, target) == pytest.approx(60, abs=0.01)  # eight bits would make it exact


def test_sizes_must_agree():
    with pytest.raises(ShapeError, match=r"\(3, 4, 4\) and \(3, 4, 5\)"):
        psnr(torch.zeros(3, 4, 4), torch.zeros(3, 4, 5))


@pytest.mark.skipif(not TABLE2.is_dir(), reason="research data is absent")
@pytest.mark.parametrize("stem", GOLDEN)
def test_golden_values_of_the_field(stem):
    mixed, truth = (read(TABLE2 / folder / f"{stem}.png").tensor() for folder in ("blended", "transmission_layer"))
    assert (psnr(mixed, truth), psnr(mixed, truth, joint=True)) == pytest.approx(GOLDEN[stem], abs=5e-5)
