"""Noise by its moments, blur against SciPy and OpenCV, the rest against a plain restatement."""

from io import BytesIO

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage, stats

from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.degradations.downsampling import Downsampling
from limpid.physics.degradations.exposure import Exposure
from limpid.physics.degradations.gaussian_blur import GaussianBlur, gaussian, sized_profile
from limpid.physics.degradations.gaussian_noise import GaussianNoise
from limpid.physics.degradations.jpeg import Jpeg
from limpid.physics.degradations.poisson_gaussian import PoissonGaussian
from limpid.physics.seeds import generator


def flat(value: float, side: int = 200) -> torch.Tensor:
    return torch.full((3, side, side), value)


def texture(height: int = 60, width: int = 72) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sigma", [5.0, 25.0, 50.0])
def test_gaussian_noise_has_the_variance_asked_and_is_not_clipped(sigma: float) -> None:
    degraded = GaussianNoise().apply(flat(0.02, 600), {"sigma": sigma, "seed": 11})
    noise = (degraded.image - 0.02).double().numpy().ravel() * 255
    count = noise.size
    assert abs(noise.mean()) < 4 * sigma / count**0.5
    assert noise.var() == pytest.approx(sigma**2, rel=4 * (2 / count) ** 0.5)
    assert stats.kstest(noise[::7] / sigma, "norm").pvalue > 1e-3
    assert degraded.image.min() < 0


def test_noise_is_independent_between_channels_neighbours_and_seeds() -> None:
    fields = [GaussianNoise().apply(flat(0.5), {"sigma": 30.0, "seed": seed}).image.numpy() - 0.5 for seed in (1, 2)]
    pairs = [(fields[0], fields[1]), (fields[0][0], fields[0][1]), (fields[0][:, 1:], fields[0][:, :-1])]
    for first, second in pairs:
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4 / first.size**0.5


def test_range_of_sigma() -> None:
    values = [GaussianNoise().draw(generator(seed), (8, 8))["sigma"] for seed in range(1500)]
    assert stats.kstest(values, "uniform", args=(0, 50)).pvalue > 1e-3


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("value", [0.0, 0.1, 0.5, 1.0])
def test_sensor_noise_has_a_variance_that_grows_with_the_light(value: float, linear: bool) -> None:
    shot, read = 4e-3, 3e-5
    image = to_encoded(flat(value)) if linear else flat(value)
    noisy = PoissonGaussian().apply(image, {"shot": shot, "read": read, "linear": linear, "seed": 5}).image.double()
    light = (to_linear(noisy) if linear else noisy).numpy().ravel()
    expected = shot * value + read
    assert light.mean() == pytest.approx(value, abs=5 * (expected / light.size) ** 0.5 + 1e-6)
    assert light.var() == pytest.approx(expected, rel=0.03)


def test_shot_noise_comes_in_whole_electrons() -> None:
    noisy = PoissonGaussian().apply(flat(0.3), {"shot": 0.05, "read": 0.0, "linear": False, "seed": 5}).image
    electrons = noisy / 0.05
    torch.testing.assert_close(electrons, electrons.round(), atol=1e-5, rtol=0)


def test_shot_and_read_noise_follow_the_published_line() -> None:
    draws = [PoissonGaussian().draw(generator(seed), (8, 8)) for seed in range(1500)]
    shot, read = (np.log([draw[key] for draw in draws]) for key in ("shot", "read"))
    low, high = np.log(1e-4), np.log(1.2e-2)
    assert stats.kstest(shot, "uniform", args=(low, high - low)).pvalue > 1e-3
    assert stats.kstest((read - 2.18 * shot - 1.2) / 0.26, "norm").pvalue > 1e-3


@pytest.mark.parametrize("size", [1, 3, 5, 7, 11, 13])
def test_sized_profiles_are_opencvs(size: int) -> None:
    np.testing.assert_allclose(sized_profile(size).numpy(), cv2.getGaussianKernel(size, 0)[:, 0], atol=1e-9)


def test_the_profile_of_nine_follows_the_rule_of_the_study() -> None:
    expected = stats.norm.pdf(np.arange(-4, 5), scale=1.7)
    np.testing.assert_allclose(sized_profile(9).numpy(), expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize("halves", [(0, 0), (2, 0), (1, 3), (6, 5)])
def test_blur_by_half_sizes_is_opencvs_separable_filter(halves: tuple[int, int]) -> None:
    image = texture()
    rows, columns = (cv2.getGaussianKernel(2 * half + 1, 0) for half in halves)
    expected = cv2.sepFilter2D(image.permute(1, 2, 0).contiguous().numpy(), -1, columns, rows, borderType=cv2.BORDER_REFLECT_101)
    blurred = GaussianBlur().apply(image, {"half_sizes": list(halves)}).image
    np.testing.assert_allclose(blurred.permute(1, 2, 0).numpy(), expected, atol=2e-6)


@pytest.mark.parametrize("sigma", [(1.0, 1.0), (2.5, 2.5)])
def test_blur_by_equal_widths_is_scipys_gaussian(sigma: tuple[float, float]) -> None:
    image = texture()
    blurred = GaussianBlur(law="widths").apply(image, {"sigma": list(sigma), "angle": 33.0}).image
    expected = [ndimage.gaussian_filter(channel, sigma[0], mode="mirror", truncate=5) for channel in image.double().numpy()]
    np.testing.assert_allclose(blurred.numpy(), np.stack(expected), atol=6e-3)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0])
def test_the_widths_of_a_turned_gaussian_are_its_second_moments(angle: float) -> None:
    kernel = gaussian((4.0, 1.5), angle).numpy()
    radius = kernel.shape[0] // 2
    down, right = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    turn = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    along, across = right * turn[0] + down * turn[1], down * turn[0] - right * turn[1]
    assert kernel.sum() == pytest.approx(1)
    assert (kernel * along**2).sum() ** 0.5 == pytest.approx(4, rel=0.02)
    assert (kernel * across**2).sum() ** 0.5 == pytest.approx(1.5, rel=0.02)
    assert (kernel * along * across).sum() == pytest.approx(0, abs=0.1)


def test_half_sizes_are_drawn_evenly_with_both_ends_and_apart() -> None:
    draws = np.array([GaussianBlur(half_sizes=(0, 6)).draw(generator(seed), (8, 8))["half_sizes"] for seed in range(2100)])
    table = np.histogram2d(draws[:, 0], draws[:, 1], bins=np.arange(-0.5, 7))[0]
    assert stats.chisquare(table.ravel()).pvalue > 1e-3
    assert table.min() > 0


@pytest.mark.parametrize("quality", [10, 50, 95])
def test_jpeg_agrees_with_pillows_codec(quality: int) -> None:
    coarse = torch.nn.functional.interpolate(texture(8, 10)[None], size=(64, 80), mode="bicubic")[0].clamp(0, 1)
    compressed = Jpeg().apply(coarse, {"quality": quality, "sampling": "4:2:0"}).image
    pixels = coarse.mul(255).round().byte().permute(1, 2, 0).numpy()
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=2)
    expected = np.asarray(Image.open(stream), dtype=np.float32) / 255
    assert np.abs(compressed.permute(1, 2, 0).numpy() - expected).mean() < 1.5 / 255
    torch.testing.assert_close(compressed * 255, (compressed * 255).round(), atol=1e-4, rtol=0)


def test_jpeg_loses_more_at_lower_quality_and_in_the_chroma() -> None:
    def loss(quality: int, sampling: str) -> float:
        image = texture()
        return (Jpeg().apply(image, {"quality": quality, "sampling": sampling}).image - image).square().mean().item()

    assert loss(20, "4:2:0") > loss(60, "4:2:0") > loss(95, "4:2:0") > loss(95, "4:4:4")


def test_jpeg_quality_includes_both_ends() -> None:
    values = [Jpeg(quality=(30, 33)).draw(generator(seed), (8, 8))["quality"] for seed in range(200)]
    assert set(values) == {30, 31, 32, 33}


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_downsampling_averages_areas(factor: int) -> None:
    image = texture(60, 72)
    small = Downsampling(factor=(factor, factor), small=True)
    degraded = small.apply(image, small.draw(generator(0), (60, 72)))
    expected = image.view(3, 60 // factor, factor, 72 // factor, factor).mean((2, 4))
    torch.testing.assert_close(degraded.image, expected, atol=1e-6, rtol=0)
    assert torch.equal(degraded.target, image)


def test_enlarged_again_the_picture_has_its_size_and_has_not_moved() -> None:
    ramp = torch.linspace(0.2, 0.8, 96).expand(3, 60, 96).contiguous()
    degradation = Downsampling(factor=(3.0, 3.0))
    degraded = degradation.apply(ramp, degradation.draw(generator(0), (60, 96))).image
    error = (degraded - ramp)[:, :, 12:-12]
    assert error.abs().max() < 1e-3  # OpenCV's bicubic bends a ramp by a tenth of a pixel's step
    assert error.mean().abs() < 1e-4  # while a shift by a pixel would be 6e-3


@pytest.mark.parametrize(("stops", "black"), [(1.0, 0.0), (-2.0, 0.0), (0.5, 0.05)])
def test_exposure_doubles_light_per_stop_and_clips(stops: float, black: float) -> None:
    image = texture()
    exposed = Exposure().apply(image, {"stops": stops, "black": black}).image
    expected = ((2**stops * to_linear(image) - black) / (1 - black)).clamp(0, 1)
    torch.testing.assert_close(to_linear(exposed), expected, atol=2e-6, rtol=0)
    assert (exposed > 1 - 1e-6).any() == (stops > 0)
