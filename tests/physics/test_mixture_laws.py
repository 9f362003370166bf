"""Every published model against a plain restatement of its formula in NumPy, and the blur against SciPy."""

from math import exp

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from skimage.filters import threshold_otsu

from limpid import catalogue
from limpid.physics.blur import gaussian_blur, gaussian_kernel
from limpid.physics.formation import Mixture, attenuate
from limpid.physics.mixtures.haze_veil import reflection_mask
from limpid.physics.mixtures.zhang import vignette
from limpid.physics.seeds import generator

SEEDS = range(6)
BORDERS = {"constant": "constant", "reflect": "mirror", "replicate": "nearest"}


def layers(bright: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    coarse = torch.rand(2, 3, 6, 7, generator=torch.Generator().manual_seed(3)).mul(bright)
    transmission, reflection = torch.nn.functional.interpolate(coarse, size=(40, 52), mode="bilinear")
    return transmission, reflection


def blurred(image: torch.Tensor, size: int, sigma: float, mode: str = "constant") -> np.ndarray:
    offsets = np.arange(size) - size // 2
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * sigma**2))
    window /= window.sum()
    return np.stack([ndimage.convolve(channel, window, mode=mode, cval=0.0) for channel in image.double().numpy()])


def mix(name: str, seed: int, pair: tuple[torch.Tensor, torch.Tensor], **settings: object) -> Mixture:
    formation = catalogue.find("mixtures", name).build(**settings)
    return formation.apply(*pair, formation.draw(generator(seed, name), (40, 52)))


def close(layer: torch.Tensor, expected: np.ndarray, tolerance: float = 2e-6) -> None:
    np.testing.assert_allclose(layer.numpy(), expected, atol=tolerance, rtol=0)


def darkened(mirrored: np.ndarray, behind: np.ndarray, factor: float) -> np.ndarray:
    total = mirrored + behind
    if total.max() <= 1:
        return mirrored
    return np.clip(mirrored - factor * (total[total > 1].mean() - 1), 0, 1)


@pytest.mark.parametrize("border", sorted(BORDERS))
@pytest.mark.parametrize(("size", "sigma"), [(5, 2.0), (11, 4.7), (21, 5.0)])
def test_gaussian_blur_is_the_two_dimensional_convolution(border: str, size: int, sigma: float) -> None:
    image, _ = layers()
    close(gaussian_blur(image, size, sigma, border=border), blurred(image, size, sigma, BORDERS[border]), 1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [5, 7, 9, 11, 21])
def test_kernels_sum_to_one_and_are_even(size: int) -> None:
    kernel = gaussian_kernel(size, 3.3)
    assert kernel.sum().item() == pytest.approx(1, abs=1e-6)
    assert torch.equal(kernel, kernel.flip(0))


@pytest.mark.parametrize("bright", [0.4, 1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_subtractive(seed: int, bright: float) -> None:
    pair = layers(bright)
    mixture = mix("subtractive", seed, pair)
    behind = pair[0].double().numpy()
    reflection = darkened(blurred(pair[1], 11, mixture.parameters["sigma"]), behind, 1.3)
    close(mixture.reflection, reflection)
    close(mixture.input, np.clip(behind + reflection, 0, 1))


def test_darkening_uses_the_mean_of_all_overflowing_values() -> None:
    total = torch.tensor([0.5, 1.5, 1.1]).view(3, 1, 1)
    reflection = torch.tensor([0.5, 0.9, 0.1]).view(3, 1, 1)
    together = attenuate(reflection, total, 1.3).flatten().tolist()
    assert together == pytest.approx([0.5 - 1.3 * 0.3, 0.9 - 1.3 * 0.3, 0.0])
    apart = attenuate(reflection, total, 1.1, per_channel=True).flatten().tolist()
    assert apart == pytest.approx([0.5, 0.9 - 1.1 * 0.5, 0.0])


@pytest.mark.parametrize("seed", SEEDS)
def test_zhang(seed: int) -> None:
    pair = layers()
    mixture = mix("zhang", seed, pair)
    drawn = mixture.parameters
    behind = pair[0].double().numpy() ** 2.2
    size = int(2 * np.ceil(2 * drawn["sigma"]) + 1)
    mirrored = blurred(pair[1].double() ** 2.2, size, drawn["sigma"], "mirror")
    for channel in range(3):
        total = (mirrored + behind)[channel]
        mean = max(1.0, total[total > 1].sum() / (np.count_nonzero(total > 1) + 1e-6))
        mirrored[channel] -= (mean - 1) * drawn["attenuation"]
    shown = mask()[drawn["top"] : drawn["top"] + 40, drawn["left"] : drawn["left"] + 52] * np.clip(mirrored, 0, 1)
    mixed = np.clip(shown + (1 - drawn["transmission_loss"]) * behind, 0, 1)
    np.testing.assert_allclose(mixture.reflection.numpy() ** 2.2, shown, atol=5e-6)
    close(mixture.input, mixed ** (1 / 2.2), 2e-5)
    assert torch.equal(mixture.transmission, pair[0])


def mask() -> np.ndarray:
    interval = 7 / 560
    density = np.diff(stats.norm.cdf(np.linspace(-3 - interval / 2, 3 + interval / 2, 561)))
    outer = np.sqrt(np.outer(density, density))
    return outer / outer.max()


def test_vignette_is_the_published_mask() -> None:
    field = vignette(560)
    close(field, mask(), 1e-6)
    assert field.max() == 1
    assert field[279, 0].item() == pytest.approx(0.1053, abs=1e-3)  # published: middle of an edge
    assert field[0, 0].item() == pytest.approx(0.0111, abs=2e-4)  # and corner
    u = np.linspace(-3.006, 3.006, 560)
    close(field, np.exp(-(u[:, None] ** 2 + u[None] ** 2) / 4), 5e-3)


def test_a_larger_vignette_is_the_same_mask_stretched() -> None:
    field = vignette(1120)
    assert field.shape == (1120, 1120)
    close(field.view(560, 2, 560, 2).mean((1, 3)), mask(), 2e-3)


def test_ibcln_takes_what_the_transmission_leaves() -> None:
    pair = layers()
    plain, difference = (mix("zhang", 4, pair, returned=returned) for returned in ("shown", "difference"))
    assert torch.equal(plain.input, difference.input)
    loss = plain.parameters["transmission_loss"]
    expected = plain.input.double().numpy() ** 2.2 - (1 - loss) * pair[0].double().numpy() ** 2.2
    np.testing.assert_allclose(difference.reflection.double().numpy() ** 2.2, np.clip(expected, 0, 1), atol=5e-6)


@pytest.mark.parametrize("seed", range(12))
def test_screen(seed: int) -> None:
    pair = layers()
    mixture = mix("screen", seed, pair)
    drawn = mixture.parameters
    soft = blurred(pair[1], drawn["kernel"], drawn["sigma"])
    behind, mirrored = drawn["transmission_gain"] * pair[0].double().numpy(), drawn["reflection_gain"] * soft
    if drawn["screen"]:
        mixed = 1 - (1 - behind) * (1 - mirrored)
    else:
        mirrored = darkened(mirrored, behind, 1.3)
        mixed = np.clip(behind + mirrored, 0, 1)
    close(mixture.input, mixed)
    close(mixture.reflection, mirrored)
    assert torch.equal(mixture.transmission, pair[0])
    close(mix("screen", seed, pair, returned="blurred").reflection, soft)
    close(mix("screen", seed, pair, returned="difference").reflection, mixed - pair[0].double().numpy())


@pytest.mark.parametrize("seed", range(12))
def test_channel_gain(seed: int) -> None:
    pair = layers()
    mixture = mix("channel_gain", seed, pair, overflow=True)
    drawn = mixture.parameters
    behind = np.reshape(drawn["transmission_gains"], (3, 1, 1)) * pair[0].double().numpy()
    mirrored = drawn["reflection_gain"] * blurred(pair[1], drawn["kernel"], drawn["sigma"])
    if not drawn["screen"]:
        mirrored = darkened(mirrored, behind, 1.3)
    mixed = behind + mirrored - behind * mirrored if drawn["screen"] else behind + mirrored
    close(mixture.input, np.clip(mixed, 0, 1))
    close(mixture.transmission, behind)
    close(mixture.reflection, mirrored)
    within = mix("channel_gain", seed, pair)
    assert torch.equal(within.input, mixture.input)
    close(within.transmission, np.clip(behind, 0, 1))


@pytest.mark.parametrize("seed", range(8))
def test_haze_veil(seed: int) -> None:
    pair = layers(0.4)
    mixture = mix("haze_veil", seed, pair)
    drawn = mixture.parameters
    reflection = blurred(pair[1], 11, drawn["sigma"])
    veil = drawn["airlight"] * exp(-10 * drawn["density"]) if drawn["veil"] else 0
    close(mixture.input, np.clip(pair[0].double().numpy() + reflection + veil, 0, 1))
    close(mixture.reflection, reflection)


def test_reflection_mask_by_otsu_and_by_threshold() -> None:
    pair = layers(0.6)
    mixture = mix("haze_veil", 1, pair)
    difference = np.abs(mixture.transmission.numpy() - mixture.input.numpy())
    assert np.array_equal(reflection_mask(mixture)[0].numpy(), (difference > threshold_otsu(difference)).any(axis=0))
    assert np.array_equal(reflection_mask(mixture, 0.1)[0].numpy(), (difference > 0.1).any(axis=0))


@pytest.mark.parametrize("seed", SEEDS)
def test_dark_scene(seed: int) -> None:
    pair = layers()
    mixture = mix("dark_scene", seed, pair)
    drawn = mixture.parameters
    soft = blurred(pair[1], 11, drawn["sigma"])
    mirrored = np.clip(drawn["gain"] * np.clip(soft - 1.3 * soft.mean(), 0, 1), 0, 1)
    flat = np.broadcast_to(np.reshape(drawn["colour"], (3, 1, 1)), mirrored.shape)
    close(mixture.transmission, flat)
    close(mixture.reflection, mirrored)
    close(mixture.input, np.clip(flat + mirrored, 0, 1))


@pytest.mark.parametrize("shares", [(0.3, 0.5), ()])
def test_ghosting_is_a_convolution_with_two_pulses(shares: tuple[float, ...]) -> None:
    pair = layers()
    formation = catalogue.find("mixtures", "ghosting").build(transmission_shares=shares)
    drawn = {**formation.draw(generator(2), (40, 52)), "distance": 5.0, "direction": 0.0}  # five whole pixels to the right
    mixture = formation.apply(*pair, drawn)
    scene, reflection = pair[0].double().numpy(), pair[1].double().numpy()
    two = reflection[:, :, 5:] + drawn["attenuation"] * reflection[:, :, :-5]
    if drawn["share"] is not None:
        two *= (1 - drawn["share"]) / (1 + drawn["attenuation"])
        scene = drawn["share"] * scene
    close(mixture.input[:, :, 5:], np.clip(scene[:, :, 5:] + two, 0, 1), 1e-5)
    close(mixture.reflection[:, :, 5:], np.clip(two, 0, 1), 1e-5)


@pytest.mark.parametrize("complement", [True, False])
@pytest.mark.parametrize("uneven", [0.0, 1.0])
def test_alpha_mask_weighs_each_pixel(complement: bool, uneven: float) -> None:
    pair = layers()
    mixture = mix("alpha_mask", 3, pair, complement=complement, uneven=uneven)
    drawn = mixture.parameters
    soft = blurred(pair[1], 11, drawn["sigma"], "mirror")
    scene, mixed = pair[0].double().numpy(), mixture.input.double().numpy()
    weight = (mixed - soft) / (scene - soft) if complement else (mixed - soft) / scene
    known = (np.abs(scene - soft) > 0.1) & (mixed < 1) & (scene > 0.1)
    assert weight[known].min() > 0.3 - 1e-3
    assert weight[known].max() < 0.95 + 1e-3
    assert (np.ptp(weight[known]) > 0.05) == bool(uneven)
    shown = mixed - weight * scene if complement else soft
    np.testing.assert_allclose(mixture.reflection.numpy()[known], shown[known], atol=1e-5)
