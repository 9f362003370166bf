"""Intrinsic images without pairs of photographs: scenes, the network that divides the light out, the baseline."""

import numpy as np
import pytest
import torch

from limpid import create_model
from limpid.blocks.retinex import ColourRetinex, integrated
from limpid.data.sources.intrinsic import IntrinsicScenes
from limpid.layers.context import Tile
from limpid.layers.encoding import to_encoded, to_linear
from limpid.layers.task import TASKS
from limpid.physics.intrinsic_scenes import SceneSettings, scene
from limpid.physics.seeds import generator
from limpid.runtime.separator import Separator
from network_samples import tiny

LAW = TASKS["intrinsic"]
CLEAN = SceneSettings(noise=0.0, highlights=0.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_scene_is_its_albedo_in_its_light(seed):
    made = scene((48, 64), generator(seed, "scene"), CLEAN)
    layers = {"albedo": made.albedo, "shading": made.shading}
    assert float((LAW.compose(layers) - made.input).abs().max()) < 0.6 / 255
    assert 0.6 < float(made.shading.max()) <= 1
    again = scene((48, 64), generator(seed, "scene"), CLEAN)
    assert torch.equal(made.input, again.input)


def test_highlights_and_noise_are_in_the_picture_alone():
    clean, spotted = (scene((48, 48), generator(1), SceneSettings(noise=0.0, highlights=share)) for share in (0.0, 1.0))
    assert float((spotted.input - clean.input).max()) > 0.1
    assert torch.equal(spotted.albedo, clean.albedo)
    noisy = scene((48, 48), generator(1), SceneSettings(noise=0.05, highlights=0.0))
    assert 0 < float((noisy.input - clean.input).std()) < 0.1


def test_items_are_paired_relit_or_apart():
    settings = {"size": (32, 32), "settings": CLEAN, "length": 3, "seed": 4, "keep": True}
    draw = np.random.default_rng(0)
    paired = IntrinsicScenes(**settings, relit=1.0).pair(0, 0, draw)
    assert float((LAW.compose(paired.layers) - paired.input).abs().max()) < 0.6 / 255
    apart = IntrinsicScenes(**settings, paired=False).pair(0, 0, draw)
    assert apart.kind == "unpaired"
    assert float((LAW.compose(apart.layers) - apart.input).abs().max()) > 0.05


def test_the_layers_of_the_network_compose_the_photo_at_any_size():
    network = tiny("light_unet").eval()
    for size in ((32, 48), (160, 208)):  # as it is, and reduced to the working size of 48 pixels
        photo = torch.rand(1, 3, *size)
        with torch.inference_mode():
            layers = network(photo)
        assert float((LAW.compose(layers) - photo).abs().max()) < 1e-3
        assert all(0 <= float(layer.min()) <= float(layer.max()) <= 1 + 1e-6 for layer in layers.values())
        assert bool((layers.albedo >= photo - 1e-4).all())


def test_a_tile_sees_the_light_of_the_whole_photo():
    network = tiny("light_unet").eval()
    photo = torch.rand(1, 3, 128, 160)
    with torch.inference_mode():
        whole = network(photo)
        context = network.context(photo).at(Tile(top=32, left=48, height=128, width=160))
        part = network(photo[..., 32:96, 48:112], context)
    assert torch.allclose(part.albedo, whole.albedo[..., 32:96, 48:112], atol=1e-4)


@pytest.mark.parametrize("network", ["light_unet", "usi3d"])
def test_on_a_photo_both_layers_compose_it_whatever_the_network_says(network):
    made = Separator(tiny(network), LAW, name=network)
    photo = torch.cat((torch.zeros(3, 8, 64), torch.ones(3, 8, 64), torch.rand(3, 48, 64)), dim=1)
    layers = made(photo)
    assert float((LAW.compose(layers) - photo).abs().max()) < 1 / 255
    assert bool((layers.albedo >= photo - 1e-6).all())
    rounded = {name: (layer * 255).round() / 255 for name, layer in layers.items()}
    assert float((LAW.compose(rounded) - photo).abs().max()) < 1.5 / 255


def test_half_strength_still_composes_the_photo():
    made, photo = Separator(tiny("light_unet"), LAW, name="light_unet"), torch.rand(3, 48, 48)
    layers = made(photo, strength=0.5)
    assert float((LAW.compose(layers) - photo).abs().max()) < 1e-3
    assert torch.allclose(made(photo.clamp(min=0.05), strength=0.0).shading, torch.ones(3, 48, 48), atol=1e-3)


def test_a_poisson_equation_gives_back_the_map_of_its_slopes():
    field = torch.rand(1, 1, 13, 18)
    found = integrated(field.diff(dim=-2), field.diff(dim=-1))
    assert torch.allclose(found, field - field.mean(), atol=1e-4)


def test_retinex_takes_smooth_grey_changes_for_light_and_colour_for_albedo():
    light = torch.linspace(0.3, 1, 64).expand(1, 64, 64)
    albedo = torch.full((3, 64, 64), 0.5)
    albedo[:, :, 32:] = torch.tensor([0.7, 0.2, 0.2])[:, None, None]
    photo = to_encoded(albedo * light)
    found = ColourRetinex()(photo[None])
    assert float((LAW.compose(found) - photo).abs().max()) < 1e-3
    left = to_linear(found.albedo[0])[:, :, :30]
    assert float(left.std() / left.mean()) < 0.05 < float(photo[:, :, :30].std() / photo[:, :, :30].mean())


def test_the_network_is_small():
    network = create_model("light_unet")
    assert sum(parameter.numel() for parameter in network.parameters()) < 3_000_000
