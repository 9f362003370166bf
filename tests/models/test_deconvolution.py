"""Blind deconvolution: what it costs, that it chooses among its candidates, and that it keeps out of doubtful places."""

import torch

from limpid import create_model
from limpid.metrics.psnr import psnr
from limpid.physics.blind_deconvolution import deconvolve, estimate_kernel
from pictures import shaken_squares, squares


def shaken(side=256):
    """A blurred photo and the same sharp: (1, 3, side, side) each."""
    blurred, sharp, _ = shaken_squares(3, 12.0, side + 64)
    return blurred[None, :, :side, :side], sharp[None, :, :side, :side]


def believing(place):
    """A network that believes one of its candidates and repairs nothing: 0 the photo, 1 the guess, from 2 on deconvolutions."""
    torch.manual_seed(0)
    network = create_model("deconvolution", "tiny").eval()
    torch.nn.init.zeros_(network.finish.ending.weight)
    torch.nn.init.zeros_(network.finish.ending.bias)
    network.finish.ending.bias.data[4 * place : 4 * place + 4] = 50.0
    return network


def test_the_shipped_size_stays_below_five_million_parameters():
    assert sum(parameter.numel() for parameter in create_model("deconvolution").parameters()) < 5e6


def test_the_candidates_are_the_photo_the_guess_and_deconvolutions_of_it():
    blurred, _ = shaken(128)
    with torch.inference_mode():
        photo, guess, *sharp = (believing(place)(blurred).restored for place in range(5))
        network = believing(0)
        expected = deconvolve(blurred, estimate_kernel(blurred.mean(1)), network.noise.exp()).clamp(-0.5, 1.5)
        second = network.guess(blurred).restored
    assert torch.allclose(photo, blurred, atol=1e-6)
    assert torch.allclose(guess, second, atol=1e-6)
    for found, wanted in zip(sharp, expected.unbind(1), strict=True):
        assert torch.allclose(found, wanted, atol=1e-5)


def test_a_photo_that_was_not_shaken_comes_back_as_it_was():
    sharp = squares(4)[None]
    with torch.inference_mode():
        assert torch.equal(believing(4)(sharp).restored, sharp)


def test_a_deconvolution_is_decibels_better_than_a_shaken_photo():
    blurred, sharp = shaken()
    with torch.inference_mode():
        restored = believing(3)(blurred).restored
    assert psnr(restored[0], sharp[0]) > psnr(blurred[0], sharp[0]) + 3
