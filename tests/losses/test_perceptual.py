"""Perceptual and contextual loss, against torchvision's network run as the published code runs it and against dense formulas."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from limpid import catalogue
from limpid.blocks._torchvision import mend
from limpid.errors import SettingError, UnknownNameError
from limpid.losses._features import Features
from limpid.losses.contextual import Contextual, contextual
from limpid.losses.perceptual import PRESETS, SHARES, Perceptual, perceptual


def photos(side=32, *, seed=5, batch=1):
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(seed))


def built(loss, **settings):
    torch.manual_seed(0)
    made = loss(**settings)
    for parameter in made.parameters():  # biases start at 0, and scales of DINOv3 at 1e-5, which would hide its blocks
        parameter.data += 0.05 * torch.randn_like(parameter)
    return made


def executed(vgg, photo, counts):
    """Maps after so many modules of torchvision's stack, ReLUs in place as published: what ERRNet, IBCLN and DSRNet call taps."""
    mend()
    from torchvision.models.vgg import cfgs, make_layers

    stack = make_layers(cfgs["E"])
    own = vgg.state_dict()
    stack.load_state_dict(
        stack.state_dict() | {name.removeprefix("features."): tensor for name, tensor in own.items() if "features" in name}
    )
    kept, found = [], photo
    with torch.no_grad():
        for index, module in enumerate(stack[: max(counts)], 1):
            found = module(found)
            if index in counts:
                kept.append(found)  # a convolution's map is overwritten by the ReLU that follows
    return kept


def normalised(photo):
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (photo - mean[:, None, None]) / std[:, None, None]


@pytest.mark.parametrize(
    ("counts", "names"),
    [
        ((2, 7, 12, 21, 30), ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")),
        ((8, 13, 22), ("relu2_2", "relu3_2", "conv4_2")),
        ((8, 13, 22, 31), ("relu2_2", "relu3_2", "relu4_2", "conv5_2")),
        ((31,), ("conv5_2",)),
        ((3, 8, 13, 22, 31), ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "conv5_2")),
        ((4, 9, 18, 27, 36), ("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4")),
    ],
)
def test_published_taps_are_the_layers_that_their_names_here_say(counts, names):
    features = built(Features, backbone="vgg19", taps=names)
    expected = executed(features.backbone, normalised(photos()), counts)
    found = features(photos())
    assert tuple(found) == names
    for name, tensor in zip(names, expected, strict=True):
        assert torch.allclose(found[name], tensor, atol=1e-5), name


def test_the_formula_of_errnet_and_dsrnet():
    loss = built(Perceptual, preset="errnet")
    estimate, target = photos(seed=1), photos(seed=2)
    both = [executed(loss.features.backbone, normalised(photo), (2, 7, 12, 21, 30)) for photo in (estimate, target)]
    expected = sum(share * F.l1_loss(x, y) for share, x, y in zip(SHARES, *both, strict=True))
    assert float(loss(estimate, target)) == pytest.approx(float(expected), rel=1e-5)
    assert PRESETS["dsrnet"] == PRESETS["errnet"]


def test_the_formula_of_ibcln_sees_the_photo_as_it_is():
    loss = built(Perceptual, preset="ibcln")
    estimate, target = photos(seed=1), photos(seed=2)
    both = [executed(loss.features.backbone, photo, (2, 7)) for photo in (estimate, target)]
    expected = F.l1_loss(both[0][0], both[1][0]) / 2.6 + F.l1_loss(both[0][1], both[1][1]) / 4.8
    assert float(loss(estimate, target)) == pytest.approx(float(expected), rel=1e-5)


def test_the_formula_of_ragnet_sees_blue_first_and_maps_before_their_relu():
    loss = built(Perceptual, preset="ragnet")
    estimate, target = photos(seed=1), photos(seed=2)
    maps = {0: estimate[:, [2, 1, 0]], 1: target[:, [2, 1, 0]]}
    expected, shares = 0.0, dict(zip((2, 7, 12, 21, 30), SHARES, strict=True))
    stack = dict(loss.features.backbone.features.named_children())
    for index in range(31):
        layer = stack[str(index)]
        maps = {side: F.relu(found) if isinstance(layer, torch.nn.ReLU) else layer(found) for side, found in maps.items()}
        expected = expected + shares.get(index, 0) * F.l1_loss(maps[0], maps[1])
    assert float(loss(estimate, target)) == pytest.approx(float(expected), rel=1e-5)
    assert float(loss(estimate, target)) != pytest.approx(float(loss(estimate.flip(1), target.flip(1))), rel=1e-3)


@pytest.mark.parametrize("backbone", PRESETS["hypercolumn"])
def test_the_formula_of_the_hypercolumn_network(backbone):
    if backbone in ("dinov3_vits16plus", "dinov3_vitb16"):
        pytest.skip("same code as dinov3_vits16, larger")
    loss = built(Perceptual, preset="hypercolumn", backbone=backbone)
    estimate, target, own = photos(64, seed=1), photos(64, seed=2), loss.features.backbone
    raw = backbone == "hgnetv2"
    expected = F.l1_loss(estimate, target) if raw else F.l1_loss(normalised(estimate), normalised(target))
    maps, others = own(estimate), own(target)
    shares = SHARES if backbone == "vgg19" else (1, 1, 1, 1)
    for share, name in zip(shares, own.channels, strict=True):
        expected = expected + share * F.l1_loss(maps[name], others[name])
    if backbone.startswith("dinov3"):
        expected = expected + F.l1_loss(own.final(estimate), own.final(target))
    if backbone == "hgnetv2":
        expected = expected + F.l1_loss(maps["stage4"], others["stage4"])
    assert float(loss(estimate, target)) == pytest.approx(float(expected), rel=1e-5)


def test_the_closing_norm_of_dinov3_matters_and_is_the_backbones_own():
    features = built(Features, backbone="dinov3_vits16", taps=("block_11", "final"))
    found = features(photos(40))
    assert torch.allclose(found["final"], features.backbone.final(photos(40)), atol=1e-5)
    assert not torch.allclose(found["final"], found["block_11"], atol=1e-2)


def test_the_target_has_no_gradient_and_the_backbone_none_either():
    loss = built(Perceptual, layers={"input": 1.0, "relu2_1": 1.0})
    estimate, target = photos(seed=1).requires_grad_(), photos(seed=2).requires_grad_()
    loss(estimate, target).backward()
    assert float(estimate.grad.abs().sum()) > 0
    assert target.grad is None
    assert not any(parameter.requires_grad for parameter in loss.parameters())
    assert loss.features.backbone.origin is None  # for the assembler to fill


def test_perceptual_weighs_means_of_maps():
    maps = {"a": torch.zeros(2, 1, 2, 2), "b": torch.ones(2, 3, 1, 1)}
    others = {"a": torch.full((2, 1, 2, 2), 0.5), "b": torch.full((2, 3, 1, 1), 4.0)}
    assert float(perceptual(maps, others, {"a": 2.0, "b": 0.1})) == pytest.approx(1.3)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"layers": {"relu9_1": 1}}, UnknownNameError, "layer of VGG-19"),
        ({"layers": {"final": 1}}, UnknownNameError, "'final'"),
        ({"layers": {"input": 1}}, SettingError, "name at least one"),
        ({"layers": {"stage5": 1}, "backbone": "hgnetv2"}, UnknownNameError, "did you mean 'stage1'|stage4"),
        ({"preset": "errnet", "layers": {"relu1_1": 1}}, SettingError, "not both"),
        ({}, SettingError, "a preset of dsrnet, errnet"),
        ({"preset": "errnet", "backbone": "hgnetv2"}, SettingError, "known for vgg19; got 'hgnetv2'"),
        ({"preset": "hypercolumn", "backbone": "hgnetv2", "normalised": True}, SettingError, "brings its own"),
        ({"preset": "errnet", "backbone": "vgg18"}, SettingError, "vgg19"),
        ({"layers": {"relu1_1": 1}, "backbone": "vgg18"}, UnknownNameError, "did you mean 'vgg19'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, error, text):
    with pytest.raises(error, match=text):
        Perceptual(**settings)


def dense(estimate, target, bandwidth=1.0):
    """Contextual loss of one sample, written out over the whole matrix in double precision."""
    centre = target.mean((1, 2), keepdim=True)
    found, wanted = (((f - centre) / (f - centre).norm(dim=0)).flatten(1) for f in (estimate, target))
    matrix = torch.stack([(1 - (wanted * place[:, None]).sum(0)) / 2 for place in found.T], dim=1)  # (I, J)
    weights = torch.exp((1 - matrix / (matrix.min(0).values + 1e-5)) / bandwidth)
    weights = weights / weights.sum(0)
    return -math.log(float(weights.max(1).values.mean()))


def test_contextual_is_the_formula_for_each_sample_in_any_number_of_chunks():
    generator = torch.Generator().manual_seed(1)
    estimate, target = torch.rand(2, 2, 5, 7, 6, generator=generator, dtype=torch.float64)
    expected = sum(dense(x, y, 0.5) for x, y in zip(estimate, target, strict=True)) / 2
    estimate.requires_grad_()
    gradients = []
    for megabytes in (100, 0.01, 1e-9):  # one chunk, chunks of three places, of one place
        value = contextual(estimate, target, bandwidth=0.5, megabytes=megabytes)
        assert float(value) == pytest.approx(expected, rel=1e-9)
        gradients.append(torch.autograd.grad(value, estimate)[0])
    assert torch.allclose(gradients[0], gradients[1])
    assert torch.allclose(gradients[0], gradients[2])


def test_contextual_does_not_mind_where_things_are():
    target = torch.rand(1, 8, 6, 6, generator=torch.Generator().manual_seed(2))
    shifted, other = target.roll((1, 2), dims=(2, 3)), torch.rand(1, 8, 6, 6, generator=torch.Generator().manual_seed(9))
    assert float(contextual(shifted, target)) == pytest.approx(float(contextual(target, target)), abs=1e-5)
    assert float(contextual(other, target)) > float(contextual(target, target)) + 0.1


def test_contextual_survives_flat_maps():
    estimate = torch.zeros(1, 4, 5, 5, requires_grad=True)
    value = contextual(estimate, torch.ones(1, 4, 5, 5))
    value.backward()
    assert bool(torch.isfinite(value))
    assert bool(torch.isfinite(estimate.grad).all())


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation returned."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return result


def test_the_matrices_of_contextual_stay_below_the_cap():
    estimate, target = torch.rand(2, 1, 4, 48, 48)
    estimate.requires_grad_()
    with Largest() as seen:
        contextual(estimate, target, megabytes=2).backward()
    assert seen.elements * 4 <= 2 * 2**20 / 8
    with Largest() as seen:
        contextual(estimate, target, megabytes=1000)
    assert seen.elements == (48 * 48) ** 2  # what the cap is for


def test_contextual_sums_layers_of_its_backbone():
    loss = built(Contextual, layers={"relu1_1": 0.5, "conv2_2": 2.0})
    estimate, target = photos(24, seed=1), photos(24, seed=2)
    maps, others = loss.features(estimate), loss.features(target)
    expected = 0.5 * contextual(maps["relu1_1"], others["relu1_1"]) + 2 * contextual(maps["conv2_2"], others["conv2_2"])
    assert float(loss(estimate, target)) == pytest.approx(float(expected))
    with pytest.raises(SettingError, match="positive"):
        Contextual(bandwidth=0)


def test_every_backbone_serves_its_taps_by_name():
    for name in ("vgg19", "hgnetv2", "dinov3_vitt"):
        backbone = catalogue.find("backbones", name).build()
        features = Features(name, tuple(backbone.channels)[:2])
        assert tuple(features(photos())) == tuple(backbone.channels)[:2]
