"""Camera shake: trajectories, kernels, centring, and convolution that turns the kernel."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from limpid.errors import SettingError, ShapeError
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.degradations.motion_blur import MotionBlur, kernel_of
from limpid.physics.motion import CLASSES, centre, centroid, convolve, shake_kernel, splat, trajectory
from limpid.physics.seeds import generator

CORNER = np.array([[0.6, 0.3, 0.0], [0.1, 0.0, 0.0], [0.0, 0.0, 0.0]])


def texture(height: int = 50, width: int = 61) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_a_trajectory_has_unit_extent_and_mean_zero(seed: int) -> None:
    path = trajectory(generator(seed))
    assert path.shape == (1000, 2)
    assert np.abs(path.mean(axis=0)).max() < 1e-9
    assert np.ptp(path, axis=0).max() == pytest.approx(1)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 0.05  # no jumps: the exposure is one stroke
    assert np.array_equal(path, trajectory(generator(seed)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**40), extent=st.floats(0, 31))
def test_a_shake_kernel_sums_to_one_with_its_centroid_in_the_middle(seed: int, extent: float) -> None:
    kernel = shake_kernel(generator(seed), extent)
    middle = kernel.shape[0] // 2
    assert kernel.shape == (2 * middle + 1, 2 * middle + 1)
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1)
    assert centroid(kernel) == pytest.approx((middle, middle), abs=1e-9)
    rows, columns = np.nonzero(kernel.any(axis=1))[0], np.nonzero(kernel.any(axis=0))[0]
    seen = max(np.ptp(rows), np.ptp(columns))
    assert extent - 1e-9 <= seen <= extent + 2 + 1e-9  # bilinear shares reach at most one pixel further on each side


def test_kernels_of_a_wanted_size_hold_the_same_path() -> None:
    tight = shake_kernel(generator(4), 9.0)
    wide = shake_kernel(generator(4), 9.0, 41)
    rim = (41 - tight.shape[0]) // 2
    np.testing.assert_allclose(wide[rim : 41 - rim, rim : 41 - rim], tight, atol=1e-12)
    for size in (tight.shape[0] - 2, 40):
        with pytest.raises(SettingError, match="odd kernel of at least"):
            shake_kernel(generator(4), 9.0, size)
    assert np.array_equal(shake_kernel(generator(0), 0.0), [[1.0]])


def test_splat_shares_a_point_between_its_four_neighbours() -> None:
    kernel = splat(np.array([[1.25, 2.5]]), 5)
    expected = np.zeros((5, 5))
    expected[2, 1] = expected[3, 1] = 0.375
    expected[2, 2] = expected[3, 2] = 0.125
    np.testing.assert_allclose(kernel, expected)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), height=st.integers(1, 9), width=st.integers(1, 9))
def test_centring_keeps_the_values_and_brings_the_centroid_within_half_a_pixel(seed: int, height: int, width: int) -> None:
    draw = np.random.default_rng(seed)
    kernel = draw.random((height, width)) * (draw.random((height, width)) > 0.5)
    kernel[draw.integers(height), draw.integers(width)] = 1.0
    moved = centre(kernel)
    assert moved.shape[0] % 2 == moved.shape[1] % 2 == 1
    assert sorted(moved[moved > 0]) == sorted(kernel[kernel > 0])
    for place, side in zip(centroid(moved), moved.shape, strict=True):
        assert abs(place - side // 2) <= 0.5 + 1e-9
    assert np.array_equal(centre(moved), moved)


def test_an_identity_of_any_size_and_place_becomes_one_pixel() -> None:
    kernel = np.zeros((15, 12))
    kernel[3, 10] = 1
    assert np.array_equal(centre(kernel), [[1.0]])


def test_the_response_to_an_impulse_is_the_kernel_not_its_mirror_image() -> None:
    impulse = torch.zeros(3, 9, 9)
    impulse[:, 4, 4] = 1
    response = convolve(impulse, CORNER)
    assert response.shape == (3, 7, 7)
    np.testing.assert_allclose(response[1, 2:5, 2:5].numpy(), CORNER, atol=1e-7)
    assert response.sum(dim=(1, 2)).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("shape", [(3, 3), (5, 2), (1, 7), (31, 24)])
def test_convolution_is_scipys_valid_part(shape: tuple[int, int]) -> None:
    image, kernel = texture(), np.random.default_rng(1).random(shape)
    expected = [signal.convolve2d(channel, kernel / kernel.sum(), mode="valid") for channel in image.double().numpy()]
    np.testing.assert_allclose(convolve(image, kernel / kernel.sum()).numpy(), np.stack(expected), atol=1e-7)


def test_one_pixel_is_exact_and_a_small_photo_is_refused() -> None:
    image = texture()
    assert torch.equal(convolve(image, np.ones((1, 1))), image)
    with pytest.raises(ShapeError, match="sees whole"):
        convolve(texture(8, 30), np.full((9, 9), 1 / 81))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_classes_draw_extents_of_their_range(name: str) -> None:
    low, high = CLASSES[name]
    values = [MotionBlur(classes=(name,)).draw(generator(seed), (99, 99))["extent"] for seed in range(400)]
    assert low <= min(values) < low + 0.05 * (high - low)
    assert high >= max(values) > high - 0.05 * (high - low)


def test_classes_grow_and_are_drawn_evenly() -> None:
    assert CLASSES["small"][1] <= CLASSES["mild"][0] < CLASSES["mild"][1] <= CLASSES["big"][0]
    extents = np.array([MotionBlur().draw(generator(seed), (99, 99))["extent"] for seed in range(1500)])
    for low, high in CLASSES.values():
        assert np.mean((extents >= low) & (extents < high)) == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("linear", [False, True])
def test_photo_and_target_are_cropped_alike_to_what_the_kernel_sees(linear: bool) -> None:
    clean = texture(80, 90)
    drawn = MotionBlur(classes=("mild",), linear=linear).draw(generator(2), (80, 90))
    kernel = kernel_of(drawn)
    degraded = MotionBlur().apply(clean, drawn)
    rim = kernel.shape[0] // 2
    assert torch.equal(degraded.target, clean[:, rim:-rim, rim:-rim])
    light = to_linear(clean) if linear else clean
    expected = np.stack([signal.convolve2d(channel, kernel, mode="valid") for channel in light.double().numpy()])
    expected = to_encoded(torch.from_numpy(expected)).numpy() if linear else expected
    np.testing.assert_allclose(degraded.image.numpy(), expected, atol=2e-6)


def test_a_blurred_photo_does_not_move_against_its_target() -> None:
    """The peak of the correlation between photo and target lies at no displacement, whatever the path."""
    clean = texture(120, 120)
    for seed in range(6):
        degraded = MotionBlur(classes=("small",)).apply(clean, MotionBlur(classes=("small",)).draw(generator(seed), (120, 120)))
        first, second = (
            np.fft.fft2(layer.numpy().sum(0) - layer.numpy().sum(0).mean()) for layer in (degraded.image, degraded.target)
        )
        response = np.fft.fftshift(np.fft.ifft2(first * second.conj()).real).clip(min=0)
        response *= response > 0.2 * response.max()
        middle = np.array(response.shape) // 2
        assert np.abs(np.array(centroid(response)) - middle).max() < 0.75


def test_a_fixed_rim_gives_one_size_and_must_hold_the_kernel() -> None:
    clean = texture(120, 130)
    sizes = set()
    for seed in range(5):
        blur = MotionBlur(classes=("small", "mild"), rim=16)
        degraded = blur.apply(clean, blur.draw(generator(seed), (120, 130)))
        sizes.add(tuple(degraded.image.shape))
        assert torch.equal(degraded.target, clean[:, 16:-16, 16:-16])
        loose = MotionBlur().apply(clean, {**degraded.parameters, "rim": None}).image
        spare = (loose.shape[1] - 88) // 2
        assert torch.equal(degraded.image, loose[:, spare : loose.shape[1] - spare, spare : loose.shape[2] - spare])
    assert sizes == {(3, 88, 98)}
    tight = MotionBlur(classes=("big",), rim=3)
    with pytest.raises(ShapeError, match="rim of 3 px"):
        tight.apply(clean, tight.draw(generator(0), (120, 130)))


def test_share_of_sharp_photos() -> None:
    kinds = [MotionBlur(sharp=0.25).draw(generator(seed), (99, 99))["kernel"] for seed in range(1000)]
    assert kinds.count("identity") == pytest.approx(250, abs=50)
