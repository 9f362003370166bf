"""Kernels searched and taken off in the frequency domain, against convolution in ``physics`` and closed forms."""

import numpy as np
import pytest
import torch

from limpid.physics import blind_deconvolution
from limpid.physics.blind_deconvolution import (
    SIDE,
    continued,
    cost_of_kernel,
    deconvolve,
    estimate_kernel,
    few_edges,
    fit_kernel,
    transfer,
)
from limpid.physics.blind_deconvolution import shaken as shaken_of
from limpid.physics.motion import convolve, shake_kernel
from pictures import shaken_squares, squares


def on_canvas(small, side=SIDE):
    canvas = torch.zeros(side, side)
    down, across, middle = small.shape[0] // 2, small.shape[1] // 2, side // 2
    canvas[middle - down : middle + down + 1, middle - across : middle + across + 1] = torch.from_numpy(small)
    return canvas


def shaken(seed, extent):
    """A blurred photo, the sharp one and the kernel between them, as batches of one."""
    blurred, sharp, small = shaken_squares(seed, extent)
    return blurred[None], sharp[None], on_canvas(small)[None]


def likeness(one, other):
    return float((one * other).sum() / one.norm() / other.norm())


@pytest.mark.parametrize(("seed", "extent", "least"), [(1, 5.0, 0.9), (2, 12.0, 0.8), (3, 24.0, 0.7)])
def test_the_kernel_of_a_shaken_photo_is_found(seed, extent, least):
    blurred, _, truth = shaken(seed, extent)
    found = estimate_kernel(blurred.mean(1))
    assert found.shape == (1, SIDE, SIDE)
    assert float(found.min()) >= 0
    assert float(found.sum()) == pytest.approx(1, abs=1e-5)
    point = on_canvas(np.ones((1, 1)))[None]
    assert likeness(found, truth) > max(least, likeness(point, truth))


def test_a_sharp_photo_has_a_kernel_of_little_more_than_a_point():
    found = estimate_kernel(squares(4).mean(0)[None])[0]
    middle = SIDE // 2
    assert float(found[middle - 1 : middle + 2, middle - 1 : middle + 2].sum()) > 0.9


@pytest.mark.parametrize(("peak", "expected"), [(1.0, 0.0), (0.43, 0.0), (0.385, 0.5), (0.34, 1.0), (0.02, 1.0)])
def test_a_point_is_no_shake(peak, expected):
    kernel = torch.full((1, SIDE, SIDE), (1 - peak) / (SIDE**2 - 1))
    kernel[0, SIDE // 2, SIDE // 2] = peak
    assert float(shaken_of(kernel)) == pytest.approx(expected, abs=1e-4)


def test_what_is_not_joined_to_the_path_is_dropped_and_does_not_move_the_middle():
    """As edges that repeat feign it, far from the path and faint: a tenth of all light, 14 pixels to the left."""
    path = on_canvas(shake_kernel(np.random.default_rng(8), 6.0))
    feigned = 0.9 * path
    feigned[SIDE // 2, SIDE // 2 - 16 : SIDE // 2 - 12] = 0.025
    sharp = continued(squares(8).mean(0)[None], 64)
    size = (sharp.shape[-2], sharp.shape[-1])
    blurred = torch.fft.irfft2(torch.fft.rfft2(sharp) * transfer(feigned[None], size), s=size)
    found = fit_kernel(blurred, sharp, SIDE, size)[0]
    assert not found[:, : SIDE // 2 - 10].any()
    assert likeness(found, path) > 0.95


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_flat_photo_has_some_kernel_and_stays_flat(value):
    flat = torch.full((1, 3, 48, 64), value)
    kernel = estimate_kernel(flat.mean(1))
    assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)
    assert torch.allclose(deconvolve(flat, kernel, torch.tensor([1e-2]))[:, 0], flat, atol=2e-3)


def test_photos_of_a_batch_do_not_know_of_each_other():
    one, other = (squares(seed, 96) for seed in (5, 6))
    greys, strengths = torch.stack((one, other)).mean(1), torch.tensor([1e-3, 1e-2])
    kernels = estimate_kernel(greys)
    sharp = deconvolve(torch.stack((one, other)), kernels, strengths)
    for place, photo in enumerate((one, other)):
        assert torch.allclose(kernels[place], estimate_kernel(greys[place : place + 1])[0], atol=1e-6)
        assert torch.allclose(sharp[place], deconvolve(photo[None], kernels[place : place + 1], strengths)[0], atol=1e-5)


@pytest.mark.parametrize("lost", ["whole", "halves"])
def test_a_search_that_ends_in_a_wrong_place_is_made_good(lost, monkeypatch):
    """A line of 21 pixels where there was a short shake, found on the whole photo or on its halves only."""
    blurred, _, truth = shaken(1, 5.0)
    line = on_canvas(np.full((1, 21), 1 / 21))[None].float()
    search = blind_deconvolution.search_kernel

    def astray(grey, start=None):
        whole = grey.shape[-1] == blurred.shape[-1]
        wrong = start is None and whole == (lost == "whole")
        return line.clone() if wrong else search(grey, start)

    monkeypatch.setattr(blind_deconvolution, "search_kernel", astray)
    found = estimate_kernel(blurred.mean(1))
    assert likeness(found, truth) > 0.9
    if lost == "halves":
        assert torch.equal(found, search(blurred.mean(1)))


def test_the_right_kernel_costs_less_than_one_along_which_nothing_is_sharp():
    blurred, _, truth = shaken(1, 5.0)
    line = on_canvas(np.full((1, 21), 1 / 21))[None].float()
    right, wrong = (float(cost_of_kernel(blurred.mean(1), kernel)) for kernel in (truth, line))
    assert right < 0.98 * wrong


def test_of_a_large_photo_the_part_with_the_most_edges_is_looked_at(monkeypatch):
    side = 128
    monkeypatch.setattr("limpid.physics.blind_deconvolution.WINDOW", 192)
    photo = torch.full((1, 192 + 6 * 64, 192 + 2 * 64), 0.5)
    rich = convolve(squares(7, side + 10), shake_kernel(np.random.default_rng(7), 5.0)).mean(0)
    photo[0, -rich.shape[0] :, -rich.shape[1] :] = rich
    assert torch.equal(estimate_kernel(photo), estimate_kernel(photo[:, -192:, -192:]))


def test_the_kernel_between_two_photos_is_the_one_that_was_applied():
    sharp = continued(squares(8).mean(0)[None], 64)
    truth = on_canvas(shake_kernel(np.random.default_rng(8), 14.0))[None]
    size = (sharp.shape[-2], sharp.shape[-1])
    blurred = torch.fft.irfft2(torch.fft.rfft2(sharp) * transfer(truth, size), s=size)
    assert likeness(fit_kernel(blurred, sharp, SIDE, size), truth) > 0.95


def test_a_photo_of_few_edges_is_flat_between_them():
    noisy = continued(squares(9, 128).mean(0)[None], 64)
    noisy = noisy + 0.02 * torch.randn(noisy.shape, generator=torch.Generator().manual_seed(0))
    point = on_canvas(np.ones((1, 1)))[None]
    plain = few_edges(noisy, point, 8e-3)

    def still(photo):
        return float((photo.diff(dim=-1).abs() < 2e-3).float().mean())

    assert still(noisy) < 0.2
    assert still(plain) > 0.7
    assert float((plain - noisy).square().mean()) < 0.005


@pytest.mark.parametrize(("seed", "extent", "share"), [(1, 4.0, 0.1), (2, 11.0, 0.1), (3, 27.0, 0.3)])
def test_a_known_kernel_comes_off(seed, extent, share):
    blurred, sharp, _ = shaken(seed, extent)
    truth = on_canvas(shake_kernel(np.random.default_rng(seed), extent), 63)[None]
    (found,) = deconvolve(blurred, truth, torch.tensor([1e-5])).unbind(1)
    inside = (..., slice(64, -64), slice(64, -64))  # nobody knows what was blurred in over the borders
    before, after = ((photo[inside] - sharp[inside]).square().mean() for photo in (blurred, found))
    assert float(after) < share * float(before)


def test_a_kernel_of_one_pixel_leaves_the_photo():
    photo, point = squares(4)[None], on_canvas(np.ones((1, 1)))[None]
    assert torch.allclose(deconvolve(photo, point, torch.tensor([1e-6]))[:, 0], photo, atol=1e-4)


def test_more_noise_means_a_smoother_photo():
    blurred, _, truth = shaken(5, 14.0)
    strengths = deconvolve(blurred, truth, torch.tensor([1e-4, 1e-3, 1e-2, 1e-1]))
    roughness = [float(photo.diff(dim=-1).square().mean()) for photo in strengths.unbind(1)]
    assert roughness == sorted(roughness, reverse=True)


def test_a_transfer_function_is_that_of_true_convolution():
    small = shake_kernel(np.random.default_rng(1), 9.0)
    photo = squares(10, 96).double()
    wrapped = torch.fft.irfft2(torch.fft.rfft2(photo) * transfer(on_canvas(small).double()[None], (96, 96)), s=(96, 96))
    radius = small.shape[0] // 2
    assert torch.allclose(wrapped[:, radius : 96 - radius, radius : 96 - radius], convolve(photo, small), atol=1e-6)


def test_a_continued_photo_begins_with_itself_and_ends_where_it_began():
    photo = torch.rand(2, 3, 21, 34)
    longer = continued(photo, 16)
    assert torch.equal(longer[..., :21, :34], photo)
    assert longer.shape[-2] >= 37
    assert longer.shape[-1] >= 50
    assert longer.shape[-1] % 16 == longer.shape[-2] % 16 == 0
    assert float((longer[..., -1, :34] - photo[..., 0, :]).abs().max()) < 0.1
