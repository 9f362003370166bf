"""Losses of two images without a backbone, against closed forms and other implementations."""

import pytest
import torch
from skimage.metrics import structural_similarity

from limpid.blocks._torchvision import mend
from limpid.errors import SettingError, ShapeError
from limpid.losses.charbonnier import Charbonnier, charbonnier
from limpid.losses.gradient import gradient
from limpid.losses.l1 import l1
from limpid.losses.ms_ssim import WEIGHTS, MsSsim, ms_ssim
from limpid.losses.mse import mse
from limpid.losses.ssim import Ssim, ssim


def pictures(side=48, *, batch=2):
    """Two smooth-ish pictures that resemble each other."""
    generator = torch.Generator().manual_seed(3)
    target = torch.rand(batch, 3, side, side, generator=generator).cumsum(-1).cumsum(-2)
    target = target / target.amax((1, 2, 3), keepdim=True)
    return (target + 0.1 * torch.randn(target.shape, generator=generator)).double(), target.double()


def wiring():
    """P, Q of the golden values in dsrnet_mamba.md §7."""
    c, i, j = torch.meshgrid(torch.arange(3), torch.arange(16), torch.arange(16), indexing="ij")
    return (((7 * c + 3 * i + 5 * j) % 11) / 10).double()[None], (((5 * c + 2 * i + 3 * j) % 7) / 6).double()[None]


def test_l1_is_the_mean_absolute_difference():
    estimate, target = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[[[0.5, 0.75]]]])
    assert float(l1(estimate, target)) == pytest.approx(0.375)


def test_mse_and_charbonnier_of_known_differences():
    estimate, target = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[[[0.5, 0.75]]]])
    assert float(mse(estimate, target)) == pytest.approx((0.25 + 0.0625) / 2)
    assert float(charbonnier(estimate, target, epsilon=1.2)) == pytest.approx((1.3 + (0.0625 + 1.44) ** 0.5) / 2)
    assert float(charbonnier(target, target)) == pytest.approx(1e-3)
    with pytest.raises(SettingError, match="positive"):
        Charbonnier(epsilon=0)


def test_gradient_ignores_what_is_added_everywhere_and_counts_slopes():
    flat = torch.zeros(1, 3, 8, 8)
    ramp = torch.arange(8.0).expand(1, 3, 8, 8) * 0.1  # rises by 0.1 from column to column
    assert float(gradient(flat + 0.4, flat)) == 0
    assert float(gradient(ramp, flat)) == pytest.approx(0.1)
    assert float(gradient(ramp + ramp.transpose(2, 3), flat)) == pytest.approx(0.2)


def test_the_values_that_dsrnets_code_gives():
    estimate, target = (plane.float().double() for plane in wiring())
    assert float(mse(estimate, target)) == pytest.approx(0.1213064236, abs=1e-7)
    assert float(gradient(estimate, target)) == pytest.approx(0.5583796296, abs=1e-7)
    assert float(0.3 * mse(estimate, target) + 0.6 * gradient(estimate, target)) == pytest.approx(0.3714197049, abs=1e-7)


def test_ssim_agrees_with_scikit_image():
    estimate, target = pictures()
    settings = {"channel_axis": 0, "gaussian_weights": True, "use_sample_covariance": False, "data_range": 1.0}
    values = [structural_similarity(x.numpy(), y.numpy(), **settings) for x, y in zip(estimate, target, strict=True)]
    assert float(ssim(estimate, target)) == pytest.approx(1 - sum(values) / 2, abs=1e-9)


def test_ssim_and_ms_ssim_agree_with_torchmetrics():
    mend()
    from torchmetrics.functional.image import structural_similarity_index_measure as measure

    settings = {"data_range": 1.0, "reduction": "none"}
    estimate, target = pictures(180)
    total, scales = 1.0, [(estimate, target)]
    while len(scales) < len(WEIGHTS):
        scales.append(tuple(torch.nn.functional.avg_pool2d(image, 2) for image in scales[-1]))
    for weight, scale in zip(WEIGHTS[:-1], scales, strict=False):
        total = total * measure(*scale, **settings, return_contrast_sensitivity=True)[1] ** weight
    # torchmetrics averages SSIM, other than its contrast part, over mirrored borders too; scikit-image leaves them out
    inner = [measure(*scale, **settings, return_full_image=True)[1][..., 5:-5, 5:-5].mean((1, 2, 3)) for scale in scales]
    assert float(ssim(estimate, target)) == pytest.approx(1 - float(inner[0].mean()), abs=1e-6)
    assert float(ms_ssim(estimate, target)) == pytest.approx(1 - float((total * inner[-1] ** WEIGHTS[-1]).mean()), abs=1e-6)
    assert 0.1 < float(ms_ssim(estimate, target)) < 0.9


def test_ms_ssim_of_one_scale_is_ssim():
    estimate, target = pictures()
    assert float(ms_ssim(estimate, target, weights=(1.0,))) == pytest.approx(float(ssim(estimate, target)))


def test_the_gradient_of_ms_ssim_stays_finite_for_opposite_images():
    target = pictures(64)[1]
    estimate = (1 - target).requires_grad_()  # contrast parts below 0, whose fractional powers do not exist
    value = ms_ssim(estimate, target, weights=(0.3, 0.7))
    value.backward()
    assert 0 < float(value) <= 1
    assert bool(torch.isfinite(estimate.grad).all())


def test_a_scale_that_is_all_wrong_does_not_silence_the_others():
    coarse = torch.nn.functional.interpolate(pictures(8)[1], scale_factor=8, mode="bilinear")
    fine = (torch.arange(64)[:, None] + torch.arange(64)) % 2 - 0.5  # a chequerboard, gone at half the size
    estimate = (0.7 * coarse - fine).requires_grad_()
    value = ms_ssim(estimate, coarse + fine, weights=(0.3, 0.7))
    value.backward()
    assert float(value) > 0.9  # the fine scale counts as nearly nothing
    assert float(estimate.grad.abs().sum()) > 0


def test_structural_losses_say_what_they_cannot_do():
    with pytest.raises(ShapeError, match="11×11 pixels; got 10×12"):
        ssim(torch.rand(1, 3, 10, 12), torch.rand(1, 3, 10, 12))
    with pytest.raises(ShapeError, match="5 scales need sides of 176 pixels; got 175×300"):
        ms_ssim(torch.rand(1, 3, 175, 300), torch.rand(1, 3, 175, 300))
    with pytest.raises(SettingError, match="positive"):
        Ssim(sigma=0)
    with pytest.raises(SettingError, match="one or more"):
        MsSsim(weights=())
