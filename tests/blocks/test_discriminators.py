import math

import pytest
import torch
import torch.nn.functional as F

from limpid.blocks.discriminators import (
    ConditionalPatchDiscriminator,
    GlobalDiscriminator,
    PatchDiscriminator,
    PixelDiscriminator,
    SamePadded,
    SmallConditionalDiscriminator,
)
from limpid.blocks.munit import MultiScaleDiscriminator
from limpid.errors import SettingError

COUNTS = [
    (ConditionalPatchDiscriminator, 2_768_705),
    (PatchDiscriminator, 2_764_737),
    (GlobalDiscriminator, 9_937_089),
    (SmallConditionalDiscriminator, 138_817),
]


@pytest.mark.parametrize(("build", "count"), COUNTS)
def test_counts_are_the_published_ones(build, count):
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in build().parameters()) == count


def shape(network, *inputs):
    with torch.device("meta"):
        return tuple(network(*(torch.empty(1, 3, *size) for size in inputs)).shape)


def test_answers_have_the_published_sizes():
    with torch.device("meta"):
        conditional, patch, whole = ConditionalPatchDiscriminator(), PatchDiscriminator(), GlobalDiscriminator()
    assert shape(conditional, (256, 256), (256, 256)) == (1, 1, 30, 30)
    assert shape(conditional, (400, 640), (400, 640)) == (1, 1, 48, 78)
    assert shape(patch, (256, 256)) == (1, 1, 30, 30)
    assert shape(whole, (224, 224)) == (1, 1, 1, 1)


def test_keys_are_the_published_ones():
    with torch.device("meta"):
        conditional, patch, whole = (
            ConditionalPatchDiscriminator().state_dict(),
            PatchDiscriminator().state_dict(),
            GlobalDiscriminator().state_dict(),
        )
    assert len(conditional) == 22
    assert {"layer1.0.bias", "layer4.1.running_var", "layer5.weight"} <= conditional.keys()
    assert "layer2.0.bias" not in conditional
    assert tuple(conditional["layer4.0.weight"].shape) == (512, 256, 4, 4)
    assert {key.rpartition(".")[0] for key in patch} == {f"model.{index}" for index in (0, 2, 5, 8, 11)}
    bodies = {f"body.{index}" for index in (0, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 23, 24, 26, 27)}
    assert {key.rpartition(".")[0] for key in whole} == bodies | {"tail.1", "tail.3"}
    assert tuple(whole["body.14.weight"].shape) == (256, 256, 3, 3)
    assert tuple(whole["body.17.weight"].shape) == (512, 256, 3, 3)


def test_the_multi_scale_discriminator_has_the_published_size_and_can_fuse_its_scales():
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in MultiScaleDiscriminator().parameters()) == 8_271_171
    torch.manual_seed(0)
    image = torch.rand(2, 3, 64, 64)
    fused, plain = (MultiScaleDiscriminator(width=4, scales=3, fused=fused) for fused in (True, False))
    plain.load_state_dict(fused.state_dict())
    first, second, third = plain(image)
    total = F.interpolate(first, size=second.shape[-2:], mode="bilinear") + second
    total = F.interpolate(total, size=third.shape[-2:], mode="bilinear") + third
    (found,) = fused(image)
    assert torch.allclose(found, torch.sigmoid(total / 3))


@pytest.mark.parametrize(("layers", "answer", "count"), [(1, 126, 136_385), (3, 30, 2_764_737), (5, 6, 11_154_369)])
def test_discriminators_by_layers_see_wider_patches(layers, answer, count):
    """Counts of CycleGAN's NLayerDiscriminator with instance norms, computed from its widths by hand."""
    with torch.device("meta"):
        patch = PatchDiscriminator(layers=layers)
    assert shape(patch, (256, 256)) == (1, 1, answer, answer)
    assert sum(parameter.numel() for parameter in patch.parameters()) == count


@pytest.mark.parametrize(("norm", "extra"), [("instance", 0), ("none", 0), ("batch", 2 * 128), ("group", 2 * 128)])
def test_pixels_and_norms(norm, extra):
    pixel = PixelDiscriminator(norm=norm)
    assert pixel(torch.rand(2, 3, 9, 7)).shape == (2, 1, 9, 7)
    assert sum(parameter.numel() for parameter in pixel.parameters()) == 4 * 64 + 65 * 128 + 129 + extra
    patch = PatchDiscriminator(norm=norm, layers=2, width=8)
    assert patch(torch.rand(2, 3, 32, 32)).shape == (2, 1, 6, 6)
    with pytest.raises(SettingError, match="1 or more layers"):
        PatchDiscriminator(layers=0, norm=norm)


@pytest.mark.parametrize(("size", "answer"), [((224, 224), (28, 28)), ((256, 256), (32, 32)), ((37, 50), (5, 7))])
def test_the_small_conditional_discriminator_answers_an_eighth_of_the_size(size, answer):
    with torch.device("meta"):
        small = SmallConditionalDiscriminator()
    assert shape(small, size, size) == (1, 1, *answer)


@pytest.mark.parametrize(("side", "stride", "before", "after"), [(8, 2, 1, 1), (7, 2, 1, 2), (8, 1, 1, 2), (7, 1, 1, 2)])
def test_zeros_are_added_as_tensorflow_adds_them(side, stride, before, after):
    """(⌈n / s⌉ − 1)·s + 4 − n zeros in all, the odd one after."""
    assert before + after == (math.ceil(side / stride) - 1) * stride + 4 - side
    layer, features = SamePadded(2, 3, stride), torch.rand(1, 2, side, side)
    padded = F.conv2d(F.pad(features, (before, after, before, after)), layer.weight, layer.bias, stride)
    assert layer(features).shape[-1] == math.ceil(side / stride)
    assert torch.equal(layer(features), padded)
