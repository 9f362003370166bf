"""Networks with global parts in tiles: told what the whole photo shows, they answer as they do on the whole photo."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from skimage import data
from torch import nn

from limpid import catalogue, create_model
from limpid.backbones.vgg19 import FIRSTS
from limpid.blocks.global_context import Tile, WholeMean, WholeNorm, placed, recording, replaying
from limpid.blocks.resize import Cut, cut
from limpid.catalogue import Needs
from limpid.image.photo import Photo
from limpid.image.size import padded_size
from limpid.runtime import memory
from limpid.runtime.memory import Cost, plan
from limpid.runtime.separator import SeparationOptions, Separator

NETWORKS = {
    "errnet": {"hypercolumn": FIRSTS[:2], "width": 16, "blocks": 1, "residual_scale": 1.0},
    "errnet deep": {"hypercolumn": FIRSTS, "width": 32, "blocks": 2, "residual_scale": 1.0},
    "basenet": {"hypercolumn": FIRSTS[:4], "width": 8, "blocks": 2},
    "nafnet": {"width": 4, "encoder": (1, 1), "middle": 1, "decoder": (1, 1), "local_window": None},
    "nafnet deep": {"width": 4, "encoder": (1, 1, 1, 1), "middle": 2, "decoder": (1, 1, 1, 1), "local_window": None},
    "dsrnet": {"width": 4, "encoder": (1,), "middle": 1, "decoder": (1,), "residue": (1, 1)},
    "hypercolumn hgnetv2": {"backbone": "hgnetv2", "width": 8, "variant": "residual_skips", "output_skip_scale": 1.0},
    "hypercolumn vitt": {"backbone": "dinov3_vitt", "width": 8},
    "usi3d": {"width": 8, "style": 4, "residuals": 1, "hidden": 16},
    "hypercolumn stretched": {"backbone": "dinov3_vitt", "width": 8, "stretch_padding": True},
}
SIZE = (331, 607)


BLIND = [key for key in NETWORKS if key not in ("basenet", "dsrnet")]  # the first needs no telling, the second is slow


QUICK = ["errnet", "nafnet", "nafnet deep", "usi3d", "hypercolumn hgnetv2"]


def separator(key):
    name = key.split()[0]
    torch.manual_seed(0)
    network = create_model(name, **NETWORKS[key])
    for parameter in network.parameters():  # scales that start at 0 would hide whole branches
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
            parameter.data *= 2 if name == "errnet" else 1  # and small weights the photo
    if hasattr(network, "deconv3"):
        network.deconv3.conv2d.bias.data += 0.5  # a black layer would show nothing
    made = Separator(network, catalogue.find("models", name), name=name, device=torch.device("cpu"))
    made.cost = Cost(bytes_per_pixel=1e3, seconds_per_pixel=1e-6)  # measuring it takes longer than the tests
    return made


def photo(height, width):
    picture = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None] / 255
    small = torch.nn.functional.interpolate(picture, (height, width), mode="bilinear", antialias=True)[0]
    return Photo(pixels=np.ascontiguousarray(small.permute(1, 2, 0).mul(255).round().byte().numpy()))


def tile(network):
    """Side that leaves room for the whole radius."""
    return str(2 * -(-network.halo // 32) * 32 + 160)


@pytest.fixture(autouse=True)
def generous(monkeypatch):
    monkeypatch.setattr(memory, "HALO", 1000)  # the whole radius, however small the tile


@pytest.mark.parametrize("key", NETWORKS)
def test_tiles_do_not_show(key):
    network, picture = separator(key), photo(*SIZE)
    side = tile(network)
    assert network.plan(SIZE, SeparationOptions(resolution="full", tile=side)).tiles > 1
    whole = network(picture, resolution="full", tile="off")
    tiled = network(picture, resolution="full", tile=side)
    assert float(whole[network.entry.layers[0]].std()) > 0.01
    for layer in whole:
        assert float((whole[layer] - tiled[layer]).abs().max()) < 2e-5


@pytest.mark.parametrize("key", BLIND)
def test_without_the_whole_photo_tiles_would_show(key):
    network, picture = separator(key), photo(*SIZE)
    side, whole = tile(network), network(picture, resolution="full", tile="off")
    network.network.receptive_radius = network.halo
    del network.network.local_radius
    tiled = network(picture, resolution="full", tile=side)
    assert max(float((whole[layer] - tiled[layer]).abs().max()) for layer in whole) > 1e-4


@pytest.mark.parametrize("key", QUICK)
def test_a_reduced_photo_may_tell_the_tiles_as_it_tells_the_whole(key, monkeypatch):
    monkeypatch.setattr(memory, "CONTEXT_SIDE", 200)
    network, picture = separator(key), photo(*SIZE)
    options = SeparationOptions(resolution="full", tile=tile(network))
    chosen = network.plan(SIZE, options)
    assert max(chosen.context) <= 200
    needs = network.entry.needs
    height, width = padded_size(*SIZE, needs.multiple, needs.minimum)
    with replaying(network._whole(picture, chosen.context), Tile(top=0, left=0, height=height, width=width)):
        whole = network.run(picture.tensor())
    tiled = network(picture, resolution="full", tile=options.tile)
    for layer in network.entry.layers:
        near = (whole[layer].clamp(0, 1) - tiled[layer]).abs() < 1e-4 if layer != "residual" else torch.ones(1)
        assert float(near.float().mean()) >= 0.999


@pytest.mark.parametrize("key", QUICK)
def test_the_local_radius_is_no_understatement(key):
    network = separator(key).network.double()
    side = 2 * (network.local_radius + 40) // 32 * 32
    picture = torch.rand(1, 3, side, side, dtype=torch.float64)
    with torch.no_grad(), recording((side, side)) as whole:
        network(picture)
    picture.requires_grad_()
    centre = side // 2 + 3
    with replaying(whole, Tile(top=0, left=0, height=side, width=side)):
        next(iter(network(picture).values()))[0, :, centre, centre].sum().backward()
    touched = picture.grad[0].abs().sum(0).nonzero()
    assert 0 < int((touched - centre).abs().max()) <= network.local_radius


def test_what_was_found_belongs_to_one_photo_and_one_thread():
    mean, norm = WholeMean(), WholeNorm()
    first, second = torch.rand(2, 1, 4, 20, 30)
    network = nn.Sequential(norm, mean)
    with recording((20, 30)) as whole:
        expected = network(first)
    assert len(whole.found) == 3
    with replaying(whole, Tile(top=0, left=0, height=20, width=30)):
        assert torch.equal(network(second), expected)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(placed).result() is None
            assert torch.equal(pool.submit(mean, second).result(), second.mean((2, 3), keepdim=True))
    assert torch.equal(mean(second), second.mean((2, 3), keepdim=True))


def test_a_recalled_norm_is_that_of_the_whole_map():
    norm, features = WholeNorm(), torch.rand(1, 4, 20, 30) * 3 + 1
    with recording((20, 30)) as whole:
        norm(features)
    with replaying(whole, Tile(top=4, left=8, height=20, width=30)):
        part = norm(features[..., 4:12, 8:20])
    assert torch.allclose(part, nn.InstanceNorm2d(4)(features)[..., 4:12, 8:20], atol=1e-5)


@pytest.mark.parametrize("mode", ["bilinear", "corners", "nearest"])
@pytest.mark.parametrize("length", [(101, 70), (26, 18), (435, 309)])
def test_a_part_of_an_enlarged_map_is_cut_from_it(mode, length):
    features = torch.rand(1, 3, 13, 9)
    corners = {"bilinear": False, "corners": True, "nearest": None}[mode]
    kind = "nearest" if mode == "nearest" else "bilinear"
    enlarged = nn.functional.interpolate(features, length, mode=kind, align_corners=corners)
    rows, columns = Cut(first=11, count=12, length=length[0], cells=13), Cut(first=5, count=9, length=length[1], cells=9)
    part = cut(features, rows, columns, mode)
    assert torch.allclose(part, enlarged[..., 11:23, 5:14], atol=1e-5)


def context_of(budget, tile="auto"):
    needs, cost = Needs(multiple=16, minimum=16), Cost(bytes_per_pixel=1000, seconds_per_pixel=1e-6)
    return plan((3000, 4000), held=0, band=0, budget=budget, tile=tile, halo=300, needs=needs, cost=cost, contextual=True)


def test_the_global_parts_see_what_memory_allows(monkeypatch):
    monkeypatch.setattr(memory, "HALO", 128)
    assert context_of(2 * 10**10).context is None  # whole
    assert context_of(2 * 10**9).context == (768, 1024)
    small = context_of(4 * 10**8)
    assert small.context[0] * small.context[1] * 1000 <= 4 * 10**8
    assert small.context[0] % 16 == small.context[1] % 16 == 0
    assert small.halo == max(128, small.tile // 4)
    assert context_of(2 * 10**9).halo == 300
