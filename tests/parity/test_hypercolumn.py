"""The hypercolumn network against the golden outputs of an independent implementation, and against its literal construction."""

import pytest
import torch
import torch.nn.functional as F

import golden_cases as golden
import literal
from limpid import catalogue
from limpid.checkpoints.convert.hypercolumn import HypercolumnConverter
from limpid.models.hypercolumn import BACKBONES, Hypercolumn

CASES = [
    "hypercolumn_vgg19",
    "hypercolumn_dinov3_vits16",
    "hypercolumn_dinov3_vitt_rir_output_skip",
    "hypercolumn_hgnetv2_distributed_residual",
]


@pytest.mark.parametrize("name", CASES)
def test_published_weights_give_the_published_layers(name):
    case, converter = golden.case(name), HypercolumnConverter()
    network = Hypercolumn(**converter.recognise(case.shapes)).eval()
    network.load_state_dict(converter.convert(case.tensors), strict=True)
    assert network.backbone.origin == "checkpoint"
    with torch.inference_mode():
        layers = network(case.arrays["input"])
    for layer in ("transmission", "reflection"):
        expected = case.arrays[layer]
        assert float((layers[layer] - expected).abs().max()) < 1e-3 * float(expected.std())


HEAD = {
    "vgg19": 391_448,
    "hgnetv2": 416_024,
    "dinov3_vitt": 346_392,
    "dinov3_vits16": 395_544,
    "dinov3_vits16plus": 395_544,
    "dinov3_vitb16": 493_848,
}
TOTAL = {
    "vgg19": 20_415_832,
    "hgnetv2": 2_266_420,
    "dinov3_vitt": 5_832_600,
    "dinov3_vits16": 21_996_696,
    "dinov3_vits16plus": 29_093_016,
    "dinov3_vitb16": 86_163_480,
}
REDUCED = {
    "vgg19": (477_896, 389_648, 345_524),
    "hgnetv2": (676_648, 489_024, 395_212),
    "dinov3_vitt": (350_744, 326_072, 313_736),
    "dinov3_vits16": (473_816, 387_608, 344_504),
    "dinov3_vits16plus": (473_816, 387_608, 344_504),
    "dinov3_vitb16": (941_144, 621_272, 461_336),
}


def on_meta(**settings):
    with torch.device("meta"):
        return Hypercolumn(**settings)


def unused(backbone, network):
    """Parameters of the published file that take no part: mask token and the masked bias of the keys."""
    return 0 if backbone in ("vgg19", "hgnetv2", "dinov3_vitt") else 13 * network.backbone.model.embed_dim


@pytest.mark.parametrize("backbone", BACKBONES)
def test_parameter_counts_are_the_published_ones(backbone):
    network = on_meta(backbone=backbone)
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == HEAD[backbone]
    assert sum(p.numel() for p in network.parameters()) + unused(backbone, network) == TOTAL[backbone]
    for scale, expected in zip((4, 8, 16), REDUCED[backbone], strict=True):
        trained = on_meta(backbone=backbone, reduction=scale)
        assert sum(p.numel() for p in trained.parameters() if p.requires_grad) == expected


@pytest.mark.parametrize("size", catalogue.find("models", "hypercolumn").sizes)
def test_every_size_is_recognised(size):
    settings = catalogue.find("models", "hypercolumn").sizes[size]
    shapes = {name: tuple(tensor.shape) for name, tensor in on_meta(**settings).state_dict().items()}
    assert HypercolumnConverter().recognise(shapes) == settings


@pytest.mark.parametrize("scale", [3, 17, 24, 34, 700])
def test_any_reduction_is_read_from_the_shapes(scale):
    network = on_meta(backbone="vgg19", reduction=scale)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert HypercolumnConverter().recognise(shapes)["reduction"] == tuple(-(-c // scale) for c in (64, 128, 256, 512, 512))


@pytest.mark.parametrize("change", ["missing", "unexpected", "shape"])
def test_what_does_not_fit_exactly_is_another_architecture(change):
    shapes = {name: tuple(tensor.shape) for name, tensor in on_meta(backbone="hgnetv2").state_dict().items()}
    if change == "missing":
        del shapes["conv5.conv.bias"]
    elif change == "unexpected":
        shapes["conv8.conv.weight"] = (64, 64, 3, 3)
    else:
        shapes["conv3.conv.weight"] = (64, 64, 5, 5)
    assert HypercolumnConverter().recognise(shapes) is None


VARIANTS = [
    {"backbone": "vgg19", "variant": "residual_skips", "output_skip_scale": 0.7},
    {"backbone": "vgg19", "reduction": 8},
    {"backbone": "hgnetv2", "variant": "residual_in_residual_skips", "reduction": (3, 5, 7, 11)},
    {"backbone": "dinov3_vitt", "variant": "residual_in_residual_skips", "output_skip_scale": 0.2, "reduction": 16},
    {"backbone": "dinov3_vits16plus"},
]


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("head_size", [None, (40, 56)])
@pytest.mark.parametrize("wants_gradient", [False, True])
def test_folding_changes_nothing(settings, head_size, wants_gradient):
    torch.manual_seed(0)
    network = Hypercolumn(**settings)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not name.startswith("backbone."):
            tensor += 0.05 * torch.randn(tensor.shape).abs()
    network, photo = network.double().eval(), torch.rand(2, 3, 32, 80, dtype=torch.float64)
    with torch.set_grad_enabled(wants_gradient):
        network.head_size = head_size
        layers, expected = network(photo), literal.hypercolumn(network, photo, head_size)
    for layer, reference in zip(layers.values(), expected, strict=True):
        assert torch.allclose(layer, reference, atol=1e-9, rtol=1e-9)


def test_padding_of_a_transformer_is_cropped_unless_asked_to_stretch():
    torch.manual_seed(0)
    network = Hypercolumn(backbone="dinov3_vitt").eval()
    stretched = Hypercolumn(backbone="dinov3_vitt", stretch_padding=True).eval()
    stretched.load_state_dict(network.state_dict())
    photo = torch.rand(1, 3, 40, 56)
    padded = F.pad(photo, (0, 8, 0, 8), mode="reflect")
    with torch.inference_mode():
        cropped, whole = (network._first(network.backbone.stages(seen), seen, seen, None) for seen in (photo, padded))
        expected = whole[..., :40, :56]
        as_published, literal_layers = stretched(photo), literal.hypercolumn(network, photo)
    assert torch.allclose(cropped, expected, atol=1e-4)
    assert torch.allclose(as_published.transmission, literal_layers[0], atol=1e-4)
    assert not torch.allclose(as_published.transmission, network(photo).transmission, atol=1e-4)


def test_a_tile_of_the_vgg_network_equals_the_whole_photo():
    torch.manual_seed(0)
    network, photo = Hypercolumn(backbone="vgg19"), torch.rand(1, 3, 16, 1120)
    for name, parameter in network.named_parameters():
        if not name.startswith("backbone."):
            parameter.data += 0.02 * torch.randn_like(parameter)
    halo = -(-network.radius // 16) * 16
    start, stop = 512 - halo, 544 + halo
    with torch.inference_mode():
        whole, tile = network.eval()(photo), network(photo[..., start:stop])
    for layer in whole:
        assert torch.allclose(whole[layer][..., 512:544], tile[layer][..., halo : halo + 32], atol=1e-5, rtol=1e-4)
    with torch.inference_mode():
        narrow = network(photo[..., start + 48 : stop - 48])
    assert not torch.allclose(whole.transmission[..., 512:544], narrow.transmission[..., halo - 48 : halo - 16], atol=1e-7, rtol=0)
