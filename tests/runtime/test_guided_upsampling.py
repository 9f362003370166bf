import pytest
import torch
import torch.nn.functional as F
from skimage import data

from limpid.image.size import shrink
from limpid.metrics.psnr import psnr
from limpid.runtime.guided_upsampling import apply_guidance, enlarge, fit_guidance


def test_rows_enlarged_apart_equal_the_whole_enlarged_at_once():
    small = torch.rand(3, 21, 33)
    whole = F.interpolate(small[None], size=(100, 150), mode="bilinear", align_corners=False)[0]
    parts = [enlarge(small, (top, min(top + 37, 100)), 100, 150) for top in range(0, 100, 37)]
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)


def halves(image):
    return torch.from_numpy(shrink(image.permute(1, 2, 0).contiguous().numpy(), 128, 128)).permute(2, 0, 1)


@pytest.fixture(scope="module")
def scene():
    """A photograph behind a soft veil: photo, transmission, both (3, 512, 512)."""
    truth = 0.6 * torch.from_numpy(data.astronaut().copy()).permute(2, 0, 1).float() / 255
    veil = torch.zeros(1, 512, 512)
    veil[:, 100:400, 150:350] = 0.35
    return truth + F.avg_pool2d(veil[None], 31, 1, 15)[0], truth


def rebuild(photo, small_photo, small_layer):
    fitted = fit_guidance(small_photo, small_layer)
    return apply_guidance(photo, small_photo, {"layer": fitted}, (0, 512), 512)["layer"]


def test_a_layer_that_is_the_photo_is_rebuilt_in_full_detail(scene):
    photo, _ = scene
    plain = enlarge(halves(photo), (0, 512), 512, 512)
    assert psnr(rebuild(photo, halves(photo), halves(photo)), photo) > psnr(plain, photo) + 3


def test_no_change_stays_no_change(scene):
    photo, _ = scene
    assert torch.equal(rebuild(photo, halves(photo), torch.zeros(3, 128, 128)), torch.zeros(3, 512, 512))


def test_rebuilding_keeps_the_detail_that_enlarging_loses(scene):
    photo, truth = scene
    change = rebuild(photo, halves(photo), halves(photo) - halves(truth))
    plain = enlarge(halves(truth), (0, 512), 512, 512)
    assert psnr(photo - change, truth) > psnr(plain, truth) + 15
    assert psnr(photo - change, truth) > 40


def test_the_slope_is_that_of_the_regression():
    photo = torch.rand(3, 60, 80)
    fitted = fit_guidance(photo, 0.7 * photo + 0.1, epsilon=1e-9)
    assert torch.allclose(fitted.slope, torch.full_like(photo, 0.7), atol=1e-3)
