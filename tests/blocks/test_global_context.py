"""Networks with global parts in tiles: told what the whole photo shows, they answer as they do on the whole photo."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from skimage import data
from torch import nn

from limpid import catalogue, create_model
from limpid.backbones.vgg19 import FIRSTS
from limpid.blocks.global_context import GlobalMean, GlobalNorm, RecallSequential
from limpid.blocks.resize import Cut, cut
from limpid.errors import ShapeError
from limpid.image.photo import Photo
from limpid.image.size import padded_size
from limpid.layers.context import Context, Recall, Tile
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.runtime import memory
from limpid.runtime.cost import Cost
from limpid.runtime.memory import Held, plan
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import Separator

NETWORKS = {
    "errnet": {"hypercolumn": FIRSTS[:2], "width": 16, "blocks": 1, "residual_scale": 1.0},
    "errnet deep": {"hypercolumn": FIRSTS, "width": 32, "blocks": 2, "residual_scale": 1.0},
    "basenet": {"hypercolumn": FIRSTS[:4], "width": 8, "blocks": 2},
    "nafnet": {"width": 4, "encoder": (1, 1), "middle": 1, "decoder": (1, 1), "local_window": None},
    "nafnet deep": {"width": 4, "encoder": (1, 1, 1, 1), "middle": 2, "decoder": (1, 1, 1, 1), "local_window": None},
    "dsrnet": {"width": 4, "encoder": (1,), "middle": 1, "decoder": (1,), "residue": (1, 1)},
    "hypercolumn hgnetv2": {"backbone": "hgnetv2", "width": 8, "variant": "residual_skips", "output_skip_scale": 1.0},
    "hypercolumn vitt": {"backbone": "dinov3_vitt", "width": 8},
    "usi3d": {"width": 8, "style": 4, "residuals": 1, "hidden": 16, "short_side": None},
    "ytmt": {"width": 8, "reduction": 2, "hypercolumn": FIRSTS[:2], "stages": 1},
    "hypercolumn stretched": {"backbone": "dinov3_vitt", "width": 8, "stretch_padding": True},
}
SIZE = (331, 607)


BLIND = [key for key in NETWORKS if key not in ("basenet", "dsrnet")]  # the second is slow, the others need no telling


QUICK = ["errnet", "nafnet", "nafnet deep", "usi3d", "hypercolumn hgnetv2"]


def separator(key):
    name = key.split()[0]
    torch.manual_seed(0)
    network = create_model(name, **NETWORKS[key])
    for parameter in network.parameters():  # scales that start at 0 would hide whole branches
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
            parameter.data *= 2 if name in ("errnet", "ytmt") else 1  # and small weights the photo
    if hasattr(network, "deconv3"):
        network.deconv3.conv2d.bias.data += 0.5  # a black layer would show nothing
    made = Separator(network, TASKS[catalogue.find("models", name).tasks[0]], name=name)
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


@pytest.mark.parametrize("key", [pytest.param(key, marks=pytest.mark.exhaustive if key == "dsrnet" else ()) for key in NETWORKS])
def test_tiles_do_not_show(key):
    network, picture = separator(key), photo(*SIZE)
    side = tile(network)
    assert network.plan(SIZE, SeparationOptions(resolution="full", tile=side)).tiles > 1
    whole = network(picture, resolution="full", tile="off")
    tiled = network(picture, resolution="full", tile=side)
    assert float(whole[network.task.primary].std()) > 0.01
    for layer in whole:
        assert float((whole[layer] - tiled[layer]).abs().max()) < 2e-5


@pytest.mark.parametrize("key", BLIND)
def test_without_the_whole_photo_tiles_would_show(key, monkeypatch):
    network, picture = separator(key), photo(*SIZE)
    side, whole = tile(network), network(picture, resolution="full", tile="off")
    monkeypatch.setattr(type(network.network), "has_context", False)
    tiled = network(picture, resolution="full", tile=side)
    assert max(float((whole[layer] - tiled[layer]).abs().max()) for layer in whole) > 1e-4


@pytest.mark.parametrize("key", QUICK)
def test_a_reduced_photo_may_tell_the_tiles_as_it_tells_the_whole(key, monkeypatch):
    monkeypatch.setattr(memory, "CONTEXT_SIDE", 200)
    network, picture = separator(key), photo(*SIZE)
    options = SeparationOptions(resolution="full", tile=tile(network))
    chosen = network.plan(SIZE, options)
    assert max(chosen.context) <= 200
    needs = network.network.needs
    height, width = padded_size(*SIZE, needs.multiple, needs.minimum)
    context = network._context(picture, chosen.context, False)
    found = network.run(picture.tensor(), context.at(Tile(top=0, left=0, height=height, width=width)))
    whole = network.task.completed(picture.tensor(), {name: layer.clamp(0, 1) for name, layer in found.items()})
    tiled = network(picture, resolution="full", tile=options.tile)
    for layer in network.task.layers:
        near = (whole[layer].clamp(0, 1) - tiled[layer]).abs() < 1e-4 if layer != "residual" else torch.ones(1)
        assert float(near.float().mean()) >= 0.999


@pytest.mark.parametrize("key", QUICK)
def test_the_radius_is_no_understatement_beside_a_context(key):
    network = separator(key).network.double().eval()
    side = 2 * (network.radius + 40) // 32 * 32
    picture = torch.rand(1, 3, side, side, dtype=torch.float64)
    with torch.no_grad():
        context = network.context(picture).at(Tile(top=0, left=0, height=side, width=side))
    picture.requires_grad_()
    centre = side // 2 + 3
    next(iter(network(picture, context=context).values()))[0, :, centre, centre].sum().backward()
    touched = picture.grad[0].abs().sum(0).nonzero()
    assert 0 < int((touched - centre).abs().max()) <= network.radius


class Steered(LayerNetwork):
    def __init__(self):
        super().__init__()
        self.row = RecallSequential(GlobalNorm(), nn.Conv2d(3, 3, 1), GlobalMean())

    def separate(self, mixed, recall=None):
        return Separation({"restored": mixed + self.row(mixed, recall)})


def test_a_context_answers_for_the_photo_it_was_made_of():
    network, (first, second) = Steered().eval(), torch.rand(2, 1, 3, 20, 30)
    context = network.context(first)
    assert set(context.entries) == {"row.0", "row.2"}
    part = context.at(Tile(top=4, left=8, height=20, width=30))
    with torch.no_grad():
        told, alone = network(first[..., 4:12, 8:20], context=part), network(first)
        assert torch.allclose(told.restored, alone.restored[..., 4:12, 8:20], atol=1e-6)
        with ThreadPoolExecutor(2) as pool:  # what one thread is told, another does not hear
            other = pool.submit(network, second, context=None)
            assert torch.equal(other.result().restored, network(second).restored)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: {"row.0": entries["row.0"]}, r"lacks the module 'row.2' \(1 in all\)"),
        (lambda entries: {**entries, "row.1": entries["row.2"]}, "an entry of 'row.1', no global module"),
        (lambda entries: {**entries, "row.2": (torch.zeros(1, 4, 1, 1),)}, r"holds \(1, 4, 1, 1\) of the module 'row.2'; .*3×1×1"),
        (lambda entries: {**entries, "row.0": entries["row.0"][:1]}, "holds 1 tensors of the module 'row.0'; expected 2"),
    ],
)
def test_a_context_of_another_network_is_refused_by_the_name_of_the_module(change, message):
    network, photo = Steered().eval(), torch.rand(1, 3, 20, 30)
    context = network.context(photo)
    with pytest.raises(ShapeError, match=message):
        network(photo, context=Context(context.seen, change(dict(context.entries))))


def test_a_map_of_other_channels_is_refused():
    narrow, wide = (create_model("hypercolumn", "tiny", width=width).eval() for width in (8, 16))
    photo = torch.rand(1, 3, 64, 64)
    with torch.no_grad(), pytest.raises(ShapeError, match="of the module 'backbone'; expected a batch of 16×any×any"):
        wide(photo, context=narrow.context(photo))


def test_a_module_that_answers_twice_is_no_context():
    class Twice(Steered):
        def separate(self, mixed, recall=None):
            return Separation({"restored": self.row(self.row(mixed, recall), recall)})

    with pytest.raises(ShapeError, match="'row.0' was asked twice"):
        Twice().context(torch.rand(1, 3, 20, 30))


def test_a_recalled_norm_is_that_of_the_whole_map():
    norm, features = GlobalNorm(), torch.rand(1, 4, 20, 30) * 3 + 1
    recorded = Recall({"norm": norm})
    norm(features, recorded)
    context = Context((20, 30), recorded.found)
    part = norm(features[..., 4:12, 8:20], Recall({"norm": norm}, context))
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
    return plan((3000, 4000), held=Held(), budget=budget, tile=tile, halo=300, needs=needs, cost=cost, contextual=True)


def test_the_global_parts_see_what_memory_allows(monkeypatch):
    monkeypatch.setattr(memory, "HALO", 128)
    assert context_of(2 * 10**10).context is None  # whole
    assert context_of(2 * 10**9).context == (768, 1024)
    small = context_of(4 * 10**8)
    assert small.context[0] * small.context[1] * 1000 <= 4 * 10**8
    assert small.context[0] % 16 == small.context[1] % 16 == 0
    assert small.halo == max(128, small.tile // 4)
    assert context_of(2 * 10**9).halo == 300
