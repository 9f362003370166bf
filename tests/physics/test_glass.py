"""The physically based pane: amounts of light, the ghost's place, exposure."""

import math

import numpy as np
import pytest
import torch

from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.formation import Parameters
from limpid.physics.light import fresnel, ghost_shift
from limpid.physics.mixtures.glass import Glass
from limpid.physics.seeds import generator

BLACK = torch.zeros(3, 96, 128)


def parameters(**changes: object) -> Parameters:
    plain = {"angle": 0.0, "thickness": 0.0, "direction": 0.0, "defocus": 0.05, "brightness": 1.0, "mask": None, "exposure": 0.0}
    return {**plain, **changes}


def texture(seed: int = 0) -> torch.Tensor:
    return 0.8 * torch.rand(3, 96, 128, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("angle", "share"), [(0.0, 0.0769), (45.0, 0.0956), (60.0, 0.1636)])
def test_a_white_scene_appears_with_the_reflectance_of_a_pane(angle: float, share: float) -> None:
    mixture = Glass().apply(BLACK, torch.ones_like(BLACK), parameters(angle=angle, thickness=3.0))
    light = to_linear(mixture.input)
    front = fresnel(math.radians(angle))
    assert light.mean().item() == pytest.approx(front + (1 - front) ** 2 * front, abs=1e-5)
    assert light.mean().item() == pytest.approx(share, abs=1e-3)
    torch.testing.assert_close(mixture.input, mixture.reflection)


@pytest.mark.parametrize(("angle", "thickness", "direction"), [(45.0, 8.0, 0.0), (60.0, 15.0, 90.0), (30.0, 20.0, 30.0)])
def test_the_ghost_falls_where_the_formula_says(angle: float, thickness: float, direction: float) -> None:
    """Measured by the autocorrelation of the reflection over a black scene: its second peak is the ghost's displacement."""
    mixture = Glass().apply(BLACK, texture(), parameters(angle=angle, thickness=thickness, direction=direction))
    light = to_linear(mixture.input).double().numpy().sum(axis=0)
    spectrum = np.abs(np.fft.fft2(light - light.mean(), s=(192, 256))) ** 2
    correlation = np.fft.ifft2(spectrum).real
    correlation[:2, :2] = correlation[-1:, :2] = correlation[:2, -1:] = correlation[-1:, -1:] = 0
    half = np.concatenate([correlation[:40, :60], correlation[:40, -60:]], axis=1)
    row, column = np.unravel_index(half.argmax(), half.shape)
    column = column if column < 60 else column - 120
    distance = ghost_shift(thickness, math.radians(angle))
    expected = distance * np.array([math.sin(math.radians(direction)), math.cos(math.radians(direction))])
    assert np.abs(np.array([row, column]) - expected).max() <= 0.75


def test_the_ghost_is_weaker_by_two_passes_through_the_front() -> None:
    dot = torch.zeros_like(BLACK)
    dot[:, 48, 64] = 1.0
    angle, thickness = math.radians(50), 20.0
    distance = ghost_shift(thickness, angle)
    light = to_linear(Glass().apply(BLACK, dot, parameters(angle=50.0, thickness=thickness)).input)[0]
    first, second = light[48, 64].item(), light[48, 66:90].sum().item()
    assert second / first == pytest.approx((1 - fresnel(angle)) ** 2, rel=1e-3)
    place = (light[48, 66:90] * torch.arange(66, 90)).sum().item() / second - 64
    assert place == pytest.approx(distance, abs=0.01)


def test_layers_add_in_linear_light_and_clip_at_white() -> None:
    scene, mirrored = texture(1), texture(2)
    mixture = Glass().apply(scene, mirrored, parameters(brightness=10.0))
    expected = (to_linear(scene) + to_linear(mixture.reflection)).clamp(0, 1)
    torch.testing.assert_close(to_linear(mixture.input), expected, atol=2e-6, rtol=0)
    assert torch.equal(mixture.transmission, scene)


@pytest.mark.parametrize("stops", [-1.5, 1.0])
def test_exposure_scales_light_of_the_photo_and_of_both_layers(stops: float) -> None:
    scene, mirrored = texture(1), texture(2)
    plain = Glass().apply(scene, mirrored, parameters(brightness=4.0))
    exposed = Glass().apply(scene, mirrored, parameters(brightness=4.0, exposure=stops))
    for name in ("input", "transmission", "reflection"):
        before, after = (to_linear(getattr(mixture, name)) for mixture in (plain, exposed))
        torch.testing.assert_close(after, (2**stops * before).clamp(0, 1), atol=1e-5, rtol=0)


def test_unexposed_draws_are_those_of_the_first_weights() -> None:
    """Training began before exposure was drawn; its random stream must not move."""
    drawn = Glass().draw(generator(7, "glass"), (64, 64))
    assert drawn["exposure"] == 0
    exposed = Glass(exposure=(-1.0, 1.0)).draw(generator(7, "glass"), (64, 64))
    assert {**exposed, "exposure": 0.0} == drawn
    assert -1 <= exposed["exposure"] <= 1


def test_ranges_of_the_draw() -> None:
    draws = [Glass().draw(generator(seed, "glass"), (64, 64)) for seed in range(1500)]
    for key, low, high in (
        ("angle", 0, 65),
        ("thickness", 0, 8),
        ("direction", 0, 360),
        ("defocus", 0.3, 5),
        ("brightness", 2, 24),
    ):
        values = np.array([draw[key] for draw in draws])
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high >= values.max() > high - 0.02 * (high - low)
    assert np.median([draw["brightness"] for draw in draws]) == pytest.approx(math.sqrt(2 * 24), rel=0.08)
    assert np.mean([draw["mask"] is not None for draw in draws]) == pytest.approx(0.6, abs=0.05)


def test_mask_only_dims_the_reflection() -> None:
    mask = Glass(uneven=1.0).draw(generator(3), (96, 128))["mask"]
    lit, dimmed = (Glass().apply(texture(1), texture(2), parameters(brightness=3.0, mask=field)) for field in (None, mask))
    assert (dimmed.reflection <= lit.reflection + 1e-6).all()
    assert (to_encoded(to_linear(texture(1))) <= dimmed.input + 1e-5).all()
