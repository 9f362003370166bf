"""A photo of 203×250, whose sides no network divides, is run as the authors of each network run it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import literal
from golden.fill import fill_state_dict
from limpid import catalogue, create_model
from limpid.backbones._backbone import Backbone
from limpid.checkpoints import file
from limpid.checkpoints.convert._shapes import shapes_of
from limpid.layers.network import Resize
from limpid.layers.task import find_task
from limpid.runtime.memory import Cost
from limpid.runtime.separator import Separator
from network_samples import tiny

HEIGHT, WIDTH = 203, 250


@pytest.fixture(scope="module")
def photo():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))


def unit(picture):
    """(1, 3, H, W), 0…1."""
    return torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1)[None]


def separator(network, name):
    task = replace(find_task(catalogue.find("models", name).tasks[0]), exact=False)  # what the network answers, before the law
    made = Separator(network.eval(), task, name=name)
    made.cost = Cost(bytes_per_pixel=5000, seconds_per_pixel=1e-5)  # not measured, which takes longer than the tests
    return made


def run(network, name, photo):
    return separator(network, name)(photo, resolution="full").map(lambda layer: layer[None])


def agree(found, expected):
    """Within a thousandth of the deviation, as photos show the layer: cut off at black and white."""
    expected = expected.clamp(0, 1)
    assert float(expected.std()) > 0.01
    assert found.shape[-2:] == (HEIGHT, WIDTH)
    assert float((found - expected).abs().max()) < 1e-3 * float(expected.std())


@pytest.mark.parametrize("name", ["errnet", "basenet"])
def test_errnet_answers_one_row_more_which_is_left_out(photo, name):
    network = tiny(name).eval()
    with torch.inference_mode():
        expected = literal.errnet(network, unit(photo))
    assert expected.shape[-2:] == (HEIGHT + 1, WIDTH)
    agree(run(network, name, photo).transmission, expected[..., :HEIGHT, :])


HYPERCOLUMNS = [
    {"backbone": "vgg19"},
    {"backbone": "hgnetv2", "variant": "residual_in_residual_skips", "output_skip_scale": 0.7},
    {"backbone": "dinov3_vitt", "variant": "residual_skips", "stretch_padding": True},
    {"backbone": "dinov3_vits16plus", "reduction": 8, "stretch_padding": True},
]


@pytest.mark.parametrize("settings", HYPERCOLUMNS, ids=lambda settings: settings["backbone"])
def test_the_hypercolumn_stretches_what_transformers_pad(photo, settings):
    torch.manual_seed(0)
    network = create_model("hypercolumn", None, width=16, **settings).eval()
    for module in network.modules():
        if isinstance(module, Backbone):
            module.load_state_dict(fill_state_dict(module.state_dict()))
    with torch.inference_mode():
        network.conv_last.bias += 0.5
        expected = literal.hypercolumn(network, unit(photo))
    layers = run(network, "hypercolumn", photo)
    agree(layers.transmission, expected[0])
    agree(layers.reflection, expected[1])


@pytest.mark.parametrize("prefix", ["feature_extractor.", ""])
def test_published_transformers_alone_are_stretched(tmp_path, prefix):
    network = create_model("hypercolumn", None, backbone="dinov3_vitt")
    state = {name.replace("backbone.", prefix or "backbone.", 1): value for name, value in network.state_dict().items()}
    torch.save(state, tmp_path / "w.pt")
    assert file.read(tmp_path / "w.pt").settings.get("stretch_padding", False) is bool(prefix)


FRAMES = {"nafnet": ({}, {"feed_forward": 2}, {"grey": True}), "unet": ({}, {"activation": "relu", "grey": True})}


@pytest.mark.parametrize(("name", "variant"), [(name, variant) for name, variants in FRAMES.items() for variant in variants])
def test_nafnet_and_the_u_net_pad_zeros(photo, name, variant):
    frame = {"encoder": (1, 1, 1, 1), "middle": 1, "decoder": (1, 1, 1, 1)}
    torch.manual_seed(1)
    converter = catalogue.find("converters", name).build()
    shapes = {
        key.replace(".attention.", ".sca."): shape for key, shape in shapes_of(name, {"width": 8, **frame, **variant}).items()
    }
    tensors = {key: 0.2 * torch.randn(shape) for key, shape in shapes.items()}
    network = catalogue.find("models", name).build(**converter.recognise(shapes))
    network.load_state_dict(converter.convert(tensors), strict=True)
    mixed = unit(photo)
    with torch.inference_mode():
        if variant.get("grey"):
            expected = torch.cat([literal.naf(tensors, colour, **frame) for colour in mixed.split(1, dim=1)], dim=1)
        else:
            expected = literal.naf(tensors, mixed, **frame)
    agree(run(network, name, photo).restored, expected)


@pytest.mark.parametrize("settings", [{}, {"grey": True}, {"kernel": 5, "activation": "relu"}])
def test_stacked_convolutions_pad_zeros(photo, settings):
    torch.manual_seed(0)
    network = create_model("stacked", "tiny", **settings)
    activate = F.relu if "activation" in settings else F.leaky_relu
    state, features = network.state_dict(), unit(photo)
    if network.grey:
        features = features.transpose(0, 1)

    def convolved(key, x):
        return F.conv2d(x, state[f"{key}.weight"], state[f"{key}.bias"], padding=network.conv_stack[0].conv.kernel_size[0] // 2)

    last = len(network.conv_stack) - 1
    with torch.inference_mode():
        state[f"conv_stack.{last}.conv.bias"] += 0.5
        features = activate(convolved("conv_stack.0.conv", features))
        for index in range(1, last):
            inner = convolved(f"conv_stack.{index}.conv2", activate(convolved(f"conv_stack.{index}.conv1", features)))
            features = activate(features + inner)
        expected = convolved(f"conv_stack.{last}.conv", features)
    agree(run(network, "stacked", photo).restored, expected.reshape(1, 3, HEIGHT, WIDTH))


RESIZED = {  # height and width that the authors' loaders make of 203×250, and how
    "dsrnet": (192, 224, Image.Resampling.BICUBIC),
    "ibcln": (200, 248, Image.Resampling.BILINEAR),
    "usi3d": (300, 369, Image.Resampling.BILINEAR),
}


@pytest.mark.parametrize("name", RESIZED)
def test_what_authors_resize_the_network_sees_resized(photo, name):
    *size, resampling = RESIZED[name]
    network, seen, answered = tiny(name).eval(), [], []
    network.register_forward_hook(lambda _, ins, out: seen.append(ins[0]) or answered.append(out))
    layers = run(network, name, photo)
    assert [tuple(mixed.shape[-2:]) for mixed in seen] == [tuple(size)]
    assert torch.equal(seen[0], unit(photo.resize(size[::-1], resampling)))
    other = list(find_task(catalogue.find("models", name).tasks[0]).layers)[1]  # the first is the photo less its change
    back = F.interpolate(network.to_unit_range(answered[0])[other], size=(HEIGHT, WIDTH), mode="bilinear")
    assert float((layers[other] - back.clamp(0, 1)).abs().mean()) < 0.05


@pytest.mark.parametrize(("name", "size"), [("dsrnet", (192, 224)), ("ibcln", (200, 248))])
def test_a_photo_of_the_size_that_authors_score_at_is_scored_as_theirs(name, size):
    network = tiny(name).eval()
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8))
    with torch.inference_mode():
        expected = network(unit(photo))
    layers = run(network, name, photo)
    for layer in ("transmission", "reflection"):
        assert torch.allclose(layers[layer], expected[layer].clamp(0, 1), atol=1e-5)


def test_usi3d_answers_in_fours_and_repeats_what_is_lacking():
    network = tiny("usi3d").eval()
    photo = torch.rand(1, 3, HEIGHT, WIDTH)
    with torch.inference_mode():
        layers, content_style = network(photo), network.i.encode(photo)
        albedo_style, _ = network.fs(content_style[1]).chunk(2, dim=1)
        published = network.r.decode(content_style[0], albedo_style)
    assert published.shape[-2:] == (200, 248)
    assert torch.equal(layers.albedo[..., :200, :248], published)
    assert torch.equal(layers.albedo[..., 200:, :248], published[..., -1:, :].expand(-1, -1, 3, -1))
    assert torch.equal(layers.albedo[..., :, 248:], layers.albedo[..., :, 247:248].expand(-1, -1, -1, 2))


@pytest.mark.parametrize(("name", "settings"), [("limpid", {}), ("deconvolution", {}), ("nafnet", {"shuffle": 2})])
def test_our_own_repeat_the_rim(photo, name, settings):
    torch.manual_seed(0)
    network = create_model(name, "tiny", **settings).eval()
    grown = F.pad(unit(photo), (0, 256 - WIDTH, 0, 208 - HEIGHT), mode="replicate")
    with torch.inference_mode():
        expected = network(grown)
    layers = run(network, name, photo)
    primary = next(iter(layers))
    agree(layers[primary], expected[primary][..., :HEIGHT, :WIDTH])


@pytest.mark.parametrize(
    ("resize", "size", "seen"),
    [
        (Resize(multiple=32), (203, 250), (192, 224)),
        (Resize(multiple=32), (20, 1000), (32, 992)),
        (Resize(short=300), (400, 300), (400, 300)),
        (Resize(short=300), (1000, 750), (400, 300)),
        (Resize(short=300), (301, 500), (300, 498)),
        (Resize(short=300), (2, 1000), (300, 8192)),
    ],
)
def test_sizes_that_loaders_make(resize, size, seen):
    assert resize.size(*size) == seen
    assert resize.size(*size[::-1]) == seen[::-1]
