"""SILS beyond the contract: counts of the published design, what the latent losses see, variants."""

import pytest
import torch

from limpid import create_model
from limpid.errors import SettingError

THREE = ("layer_1", "layer_2", "layer_3")


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"norm": "bn"}, 33_552_704),
        ({"norm": "in"}, 33_542_656),
        ({"norm": "bn", "width": 32}, 58_677_888),
        ({"norm": "bn", "width": 64}, 83_660_032),
        ({"norm": "bn", "width": 64, "depth": 7}, 108_829_952),
        ({"norm": "bn", "depth": 4}, 3_136_832),
        ({"norm": "bn", "layers": THREE, "shared_encoder": True}, 36_345_952),
        ({"norm": "bn", "layers": THREE, "shared_encoder": True, "width": 64}, 94_803_328),
    ],
)
def test_parameters_are_as_many_as_in_the_authors_code(settings, count):
    with torch.device("meta"):
        network = create_model("sils", bias=False, **settings)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_the_latent_losses_see_four_stages():
    network = create_model("sils", depth=6, width=4, norm="none")
    with torch.inference_mode():
        maps = network.taps(network.encode(torch.rand(1, 3, 256, 256), "reflection"))
    assert [tuple(found.shape[1:]) for found in maps] == [(8, 64, 64), (32, 16, 16), (64, 8, 8), (256, 2, 2)]


@pytest.mark.parametrize(
    "settings",
    [{"skips": False}, {"upsampling": "resize"}, {"full_stem": True}, {"head": "sigmoid"}, {"norm": "bn"}, {"layers": THREE}],
    ids=lambda settings: next(iter(settings)),
)
def test_every_variant_learns_from_samples_and_sends_gradients_everywhere(settings):
    torch.manual_seed(0)
    network = create_model("sils", "tiny", **settings)
    photo = torch.rand(2, 3, 32, 32)
    samples = {name: torch.rand(2, 3, 32, 32) for name in network.layer_names}
    made = network.translate(photo, samples, sum(samples.values()) / len(samples))
    values = [layer.square().mean() for layer in made.layers.values()]
    values += [(x - y).abs().mean() for pairs in made.compared.values() for x, y in pairs]
    values += [f.abs().mean() for name in made.again for f in (*made.again[name], *made.features[name])]
    sum(values).backward()
    assert set(made.compared) == {"self", "backward"}
    assert list(made.layers) == list(made.fakes) == list(network.layer_names)
    assert all(parameter.grad is not None and bool(parameter.grad.abs().sum() > 0) for parameter in network.parameters())


def test_the_vgg_variant_has_the_parameters_of_its_table():
    with torch.device("meta"):
        network = create_model("sils", "vgg")
    convolutions = [(512, 256, 3), (512, 128, 3), (256, 64, 3), (128, 32, 3), (35, 16, 3), *[(16, 16, 3)] * 7, (16, 3, 1)]
    decoder = sum(before * after * side**2 + after for before, after, side in convolutions)
    encoder = 20_024_384  # torchvision's VGG-19 without its classifier
    assert sum(parameter.numel() for parameter in network.parameters()) == 2 * (encoder + decoder)
    assert [convolution.dilation[0] for convolution in network.decoders[0].dilated] == [1, 2, 4, 8, 16, 32]


def test_the_vgg_variant_takes_any_size_and_learns_everywhere():
    torch.manual_seed(0)
    network = create_model("sils", "vgg", depth=2, width=4)
    pyramid = network.encode(torch.rand(1, 3, 50, 67), "reflection")
    maps = [tuple(found.shape[1:]) for found in network.taps(pyramid)]
    assert maps == [(64, 50, 67), (128, 25, 33), (256, 12, 16), (512, 3, 4)]
    assert all(bool((found >= 0).all()) for found in network.taps(pyramid))
    samples = {name: torch.rand(1, 3, 50, 67) for name in network.layer_names}
    made = network.translate(torch.rand(1, 3, 50, 67), samples)
    assert {layer.shape for layer in made.layers.values()} == {(1, 3, 50, 67)}
    sum(layer.square().mean() for layer in made.layers.values()).backward()
    assert all(bool(parameter.grad.abs().sum() > 0) for parameter in network.parameters())


@pytest.mark.parametrize("setting", [{"norm": "bn"}, {"skips": False}, {"full_stem": True}, {"upsampling": "resize"}])
def test_the_vgg_variant_refuses_settings_of_the_u(setting):
    with pytest.raises(SettingError, match="no norm, skips, stem or upsampling"):
        create_model("sils", "vgg", **setting)


def test_without_samples_composed_there_is_no_backward_cycle():
    network = create_model("sils", "tiny")
    samples = {name: torch.rand(1, 3, 16, 16) for name in network.layer_names}
    assert set(network.translate(torch.rand(1, 3, 16, 16), samples).compared) == {"self"}


def test_a_shared_encoder_gives_every_layer_one_code():
    network = create_model("sils", "tiny", layers=THREE, shared_encoder=True)
    samples = {name: torch.rand(1, 3, 16, 16) for name in THREE}
    made = network.translate(torch.rand(1, 3, 16, 16), samples)
    assert made.features["layer_1"][0] is made.features["layer_3"][0]


@pytest.mark.parametrize("layers", [("one",), ("one", "one"), ()])
def test_one_layer_is_no_separation(layers):
    with pytest.raises(SettingError, match="two or more layers"):
        create_model("sils", layers=layers)
