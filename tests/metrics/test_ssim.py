import cv2
import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from limpid import read
from limpid.blocks._torchvision import mend
from limpid.errors import SettingError, ShapeError
from limpid.metrics.dssim import dssim
from limpid.metrics.ms_ssim import WEIGHTS, ms_ssim
from limpid.metrics.psnr_y import luma601
from limpid.metrics.ssim import ssim
from limpid.metrics.ssim_gauss import ssim_gauss
from limpid.metrics.ssim_y import ssim_y
from metrics.pairs import SIZES, pair, tensors


def of_scikit_image(estimate, target, **settings):
    return structural_similarity(target, estimate, data_range=1.0, channel_axis=0, **settings)


WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_uniform_and_gaussian_are_those_of_scikit_image(size, channels):
    estimate, target = pair(size, channels)
    assert ssim(*tensors(estimate, target)) == pytest.approx(of_scikit_image(estimate, target), abs=1e-10)
    assert ssim_gauss(*tensors(estimate, target)) == pytest.approx(of_scikit_image(estimate, target, **WANG), abs=1e-10)


def test_another_window_is_that_of_scikit_image():
    estimate, target = pair((40, 33))
    assert ssim(*tensors(estimate, target), window=9) == pytest.approx(of_scikit_image(estimate, target, win_size=9), abs=1e-10)
    for window in (1, 8):
        with pytest.raises(SettingError, match="odd number"):
            ssim(*tensors(estimate, target), window=window)


@pytest.mark.parametrize(("kind", "top"), [(np.uint8, 255), (np.uint16, 65535)])
@pytest.mark.parametrize("channels", [1, 3])
def test_files_of_8_and_16_bits_grey_and_colour(tmp_path, kind, top, channels):
    photos = [np.rint(photo * top).astype(kind) for photo in pair((37, 51), channels)]
    for name, photo in zip(("estimate", "target"), photos, strict=True):
        cv2.imwrite(str(tmp_path / f"{name}.png"), photo.transpose(1, 2, 0)[..., ::-1])
    estimate, target = (read(tmp_path / f"{name}.png").tensor() for name in ("estimate", "target"))
    expected = structural_similarity(photos[1], photos[0], channel_axis=0, data_range=top)
    assert ssim(estimate, target) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_gaussian_is_the_border_free_part_of_torchmetrics(size):
    full = torchmetrics_ssim(*(photo[None] for photo in tensors(*pair(size))), return_full_image=True)[1]
    assert ssim_gauss(*tensors(*pair(size))) == pytest.approx(float(full[..., 5:-5, 5:-5].mean()), abs=1e-9)


def torchmetrics_ssim(estimate, target, **settings):
    if mend() == "absent":
        pytest.skip("torchvision is not installed")
    functional = pytest.importorskip("torchmetrics.functional.image")
    return functional.structural_similarity_index_measure(estimate, target, data_range=1.0, reduction="none", **settings)


@pytest.mark.parametrize("size", [(176, 192), (208, 161 + 15)])
def test_ms_ssim_is_composed_of_the_border_free_terms_of_torchmetrics(size):
    estimate, target = (photo[None] for photo in tensors(*pair(size, channels=1)))
    product = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale == len(WEIGHTS) - 1:
            term = torchmetrics_ssim(estimate, target, return_full_image=True)[1][..., 5:-5, 5:-5].mean()
        else:
            term = torchmetrics_ssim(estimate, target, return_contrast_sensitivity=True)[1].mean()
        product *= float(term) ** weight
        estimate, target = (torch.nn.functional.avg_pool2d(photo, 2) for photo in (estimate, target))
    assert ms_ssim(*tensors(*pair(size, channels=1))) == pytest.approx(product, abs=1e-9)


@pytest.mark.parametrize("size", [(161, 200), (176, 175), (177, 190)])
def test_ms_ssim_multiplies_the_terms_of_a_band_and_doubles_the_first_row_and_column_of_odd_sizes(size):
    photos = pair(size)
    terms = []
    for scale in range(len(WEIGHTS)):
        photos = [halved(photo) for photo in photos] if scale else photos
        terms.append(contrasts(*photos, whole=scale == len(WEIGHTS) - 1))
    expected = np.prod([term**weight for term, weight in zip(terms, WEIGHTS, strict=True)], axis=0).mean()
    assert ms_ssim(*tensors(*pair(size))) == pytest.approx(expected, abs=1e-9)


def halved(photo):
    odd = int(photo.shape[1] % 2 or photo.shape[2] % 2)
    padded = np.pad(photo, ((0, 0), (odd, 0), (odd, 0)), mode="edge")
    height, width = (side // 2 * 2 for side in padded.shape[1:])
    return padded[:, :height, :width].reshape(3, height // 2, 2, width // 2, 2).mean((2, 4))


def contrasts(estimate, target, *, whole=False):
    """Mean contrast term (SSIM if ``whole``) of each band, from scikit-image's map and the law that it factorises by."""
    values = []
    for mine, theirs in zip(estimate, target, strict=True):
        _, full = structural_similarity(theirs, mine, data_range=1.0, full=True, **WANG)
        means = [cv2.GaussianBlur(band, (11, 11), 1.5) for band in (mine, theirs)]
        brightness = (2 * means[0] * means[1] + 1e-4) / (means[0] ** 2 + means[1] ** 2 + 1e-4)
        values.append((full if whole else full / brightness)[5:-5, 5:-5].mean())
    return np.array(values)


def test_small_photos_are_refused_with_the_size_that_is_needed():
    for measure, side in ((ssim, 7), (ssim_gauss, 11), (ms_ssim, 161)):
        with pytest.raises(ShapeError, match=f"at least {side} px"):
            measure(torch.rand(3, side - 1, 200), torch.rand(3, side - 1, 200))
        measure(torch.rand(3, side, 200), torch.rand(3, side, 200))


def test_the_contrast_term_of_an_inverted_photo_is_floored_on_request():
    target = torch.from_numpy(pair((40, 40))[1])
    assert ssim_gauss(1 - target, target) < 0
    assert ssim_gauss(1 - target, target, floored=True) == pytest.approx(0, abs=0.01)
    assert ssim_gauss(1 - target, target, floored=True) >= 0


def test_clamping_of_the_gaussian_is_a_setting():
    estimate, target = pair((40, 33))
    estimate = 1.5 * estimate - 0.2
    assert ssim_gauss(*tensors(estimate, target), clamped=False) == pytest.approx(
        of_scikit_image(estimate, target, **WANG), abs=1e-10
    )
    assert ssim_gauss(*tensors(estimate, target)) == pytest.approx(of_scikit_image(estimate.clip(0, 1), target, **WANG), abs=1e-10)


def test_dssim_is_half_of_what_ssim_lacks():
    estimate, target = pair((30, 31))
    assert dssim(*tensors(estimate, target)) == pytest.approx((1 - of_scikit_image(estimate, target, **WANG)) / 2, abs=1e-10)


def test_luma_is_that_of_bt601():
    primaries = torch.eye(3)[..., None]  # red, green and blue, one a row
    assert (luma601(primaries) * 255)[0, :, 0].tolist() == pytest.approx([16 + 65.481, 16 + 128.553, 16 + 24.966])
    assert (luma601(torch.ones(3, 1, 1)) * 255).item() == pytest.approx(235)
    with pytest.raises(ShapeError, match=r"\(1, 4, 4\)"):
        luma601(torch.zeros(1, 4, 4))


def test_ssim_of_luma_is_that_of_scikit_image():
    estimate, target = pair((25, 44))
    luma = [(np.tensordot([65.481, 128.553, 24.966], photo, 1) + 16) / 255 for photo in (estimate, target)]
    assert ssim_y(*tensors(estimate, target)) == pytest.approx(structural_similarity(*luma, data_range=1.0, **WANG), abs=1e-10)
