"""What every formation model promises, run over the catalogue."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limpid import catalogue
from limpid.errors import ShapeError
from limpid.physics.formation import Mixture
from limpid.physics.seeds import generator

NAMES = catalogue.names("mixtures")
KEEPS_THE_SCENE = {"glass", "subtractive"}  # without a reflection the photo is the transmission, for every draw


def layers(seed: int, height: int = 37, width: int = 45) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2, 3, 5, 6, generator=draw)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    grain = torch.rand(2, 3, height, width, generator=draw)
    transmission, reflection = (0.7 * smooth + 0.3 * grain).clamp(0, 1)
    return transmission, reflection


def bytes_of(mixture: Mixture) -> bytes:
    shown = (mixture.input, mixture.transmission, mixture.reflection)
    return b"".join(layer.contiguous().numpy().tobytes() for layer in shown)


def test_every_model_of_the_specification_is_there() -> None:
    published = {"subtractive", "zhang", "screen", "channel_gain", "haze_veil", "dark_scene", "ghosting", "alpha_mask"}
    assert published | {"glass"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_draw_gives_the_same_bytes_again(name: str) -> None:
    formation = catalogue.find("mixtures", name).build()
    transmission, reflection = layers(1)
    for seed in range(8):
        drawn = formation.draw(generator(seed, name), (37, 45))
        again = formation.draw(generator(seed, name), (37, 45))
        assert drawn == again
        recorded = json.loads(json.dumps(drawn))
        fresh = catalogue.find("mixtures", name).build()
        assert bytes_of(formation.apply(transmission, reflection, drawn)) == bytes_of(
            fresh.apply(transmission, reflection, recorded)
        )


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), height=st.integers(3, 40), width=st.integers(3, 40))
def test_layers_stay_within_range_and_inputs_untouched(name: str, seed: int, height: int, width: int) -> None:
    formation = catalogue.find("mixtures", name).build()
    transmission, reflection = layers(seed, height, width)
    before = transmission.clone(), reflection.clone()
    mixture = formation.apply(transmission, reflection, formation.draw(generator(seed), (height, width)))
    for layer in (mixture.input, mixture.transmission, mixture.reflection):
        assert layer.shape == (3, height, width)
        assert layer.dtype == torch.float32
        assert layer.min() >= 0
        assert layer.max() <= 1 + 1e-6
    assert torch.equal(before[0], transmission)
    assert torch.equal(before[1], reflection)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shapes", [((3, 8, 8), (3, 8, 9)), ((1, 8, 8), (1, 8, 8)), ((8, 8), (8, 8))])
def test_layers_that_do_not_fit_are_refused(name: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    formation = catalogue.find("mixtures", name).build()
    with pytest.raises(ShapeError, match="must both be"):
        formation.apply(*(torch.zeros(shape) for shape in shapes), formation.draw(generator(0), (8, 8)))


@pytest.mark.parametrize("name", sorted(KEEPS_THE_SCENE))
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_reflection_gives_the_clean_photo(name: str, seed: int) -> None:
    formation = catalogue.find("mixtures", name).build()
    transmission, _ = layers(seed)
    mixture = formation.apply(transmission, torch.zeros_like(transmission), formation.draw(generator(seed), (37, 45)))
    torch.testing.assert_close(mixture.input, transmission, atol=1e-6, rtol=0)
    assert mixture.reflection.abs().max() < 1e-6


@pytest.mark.parametrize("name", ["channel_gain", "dark_scene", "glass", "haze_veil", "subtractive"])
def test_models_that_do_not_dim_the_scene_only_add_light(name: str) -> None:
    formation = catalogue.find("mixtures", name).build()
    transmission, reflection = layers(5)
    for seed in range(10):
        mixture = formation.apply(transmission, reflection, formation.draw(generator(seed), (37, 45)))
        assert (mixture.input - mixture.transmission).min() > -1e-6
        assert (mixture.input - mixture.transmission).max() > 0.01


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("screen", {"transmission_gain": (1.0, 1.0)}),
        ("haze_veil", {"share": 0.0}),
        ("ghosting", {"transmission_shares": ()}),
        ("ghosting", {"transmission_shares": (1.0,)}),
        ("alpha_mask", {"mask": (1.0, 1.0)}),
        ("zhang", {"transmission_loss": (0.0, 0.0)}),
        ("channel_gain", {"red": (1.0, 0.1, 1.0, 1.0), "green": (1.0, 0.1, 1.0, 1.0), "blue": (1.0, 0.1, 1.0, 1.0)}),
    ],
)
def test_without_loss_of_the_scene_no_reflection_gives_the_clean_photo(name: str, off: dict[str, object]) -> None:
    formation = catalogue.find("mixtures", name).build(**off)
    transmission, _ = layers(9)
    for seed in range(6):
        mixture = formation.apply(transmission, torch.zeros_like(transmission), formation.draw(generator(seed), (37, 45)))
        torch.testing.assert_close(mixture.input, transmission, atol=1e-6, rtol=0)
