"""ERRNet and BaseNet against the golden output of an independent implementation, and against their literal construction."""

import pytest
import torch
import torch.nn.functional as F

import golden_cases as golden
from golden.fill import fill_state_dict
from limpid import catalogue, create_model
from limpid.checkpoints.convert.basenet import BasenetConverter
from limpid.checkpoints.convert.errnet import ErrnetConverter
from limpid.models.errnet import Errnet

CASES = ["errnet_hyper"]
CONVERTERS = {"errnet": ErrnetConverter(), "basenet": BasenetConverter()}


@pytest.mark.parametrize("name", CASES)
def test_published_weights_give_the_published_transmission(name):
    case = golden.case(name)
    network = Errnet(**ErrnetConverter().recognise(case.shapes)).eval()
    network.load_state_dict(ErrnetConverter().convert(case.tensors), strict=True)
    assert network.backbone.origin is None
    network.backbone.load_state_dict(fill_state_dict(network.backbone.state_dict()))
    photo, expected = case.arrays["input"], case.arrays["output"]
    with torch.inference_mode():
        layers = network(photo)
    assert float((layers.transmission - expected).abs().max()) < 1e-3 * float(expected.std())
    assert torch.equal(layers.reflection, photo - layers.transmission)


COUNTS = [
    ("errnet", "hypercolumn", 18_953_379, 122),
    ("errnet", "plain", 18_576_547, 122),
    ("basenet", "hypercolumn", 18_539_779, 64),
    ("basenet", "plain", 18_162_947, 64),
]


@pytest.mark.parametrize(("name", "size", "count", "tensors"), COUNTS)
def test_counts_are_the_published_ones(name, size, count, tensors):
    with torch.device("meta"):
        network = create_model(name, size)
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == count
    assert len([key for key in network.state_dict() if not key.startswith("backbone.")]) == tensors


@pytest.mark.parametrize("name", CONVERTERS)
@pytest.mark.parametrize("size", ["hypercolumn", "plain", "tiny"])
@pytest.mark.parametrize("with_backbone", [False, True])
def test_every_size_is_recognised_by_its_converter_alone(name, size, with_backbone):
    settings = catalogue.find("models", name).sizes[size]
    with torch.device("meta"):
        state = create_model(name, size).state_dict()
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items() if with_backbone or not key.startswith("backbone.")}
    answers = {converter: found.recognise(shapes) for converter, found in CONVERTERS.items()}
    assert answers == {**dict.fromkeys(CONVERTERS), name: dict(settings)}


@pytest.mark.parametrize("change", [{"conv9.weight": (1,)}, {"conv2.conv2d.weight": (256, 256, 5, 5)}, {"conv2.conv2d.bias": None}])
def test_what_does_not_fit_exactly_is_another_architecture(change):
    with torch.device("meta"):
        state = Errnet(hypercolumn=()).state_dict()
    shapes = {**{key: tuple(tensor.shape) for key, tensor in state.items()}, **change}
    shapes = {key: shape for key, shape in shapes.items() if shape is not None}
    assert ErrnetConverter().recognise(shapes) is None


def literal(network, photo):
    """The network as the specification writes it down, stacks and all."""
    size = photo.shape[-2:]
    up = [F.interpolate(f, size=size, mode="bilinear", align_corners=False) for f in network.backbone(photo).values()]
    features = F.relu(network.conv1(torch.cat([photo, *up], dim=1)))
    features = F.relu(network.conv3(F.relu(network.conv2(features))))
    for block in network.res_module:
        change = block.conv2(F.relu(block.conv1(features)))
        gates = block.se_layer.fc(change.mean(dim=(2, 3)))[..., None, None]
        features = features + 0.1 * gates * change
    features = F.relu(network.deconv2(F.relu(network.deconv1(features))))
    pyramid = network.pyramid_module
    levels = [F.interpolate(stage(features), size=size, mode="nearest") for stage in pyramid.stages]
    features = F.leaky_relu(pyramid.bottleneck(torch.cat([*levels, features], dim=1)), 0.2)
    return F.relu(network.deconv3(features))


@pytest.mark.parametrize("size", [(64, 64), (34, 90), (50, 102)])
@pytest.mark.parametrize("wants_gradient", [False, True])
def test_folding_changes_nothing(size, wants_gradient):
    torch.manual_seed(0)
    network, photo = Errnet(width=32, blocks=2).double().eval(), torch.rand(2, 3, *size, dtype=torch.float64)
    with torch.set_grad_enabled(wants_gradient):
        assert torch.allclose(network(photo).transmission, literal(network, photo), atol=1e-12)
