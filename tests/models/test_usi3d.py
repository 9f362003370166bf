"""What USI3D promises beyond the contract: ranges, the training networks, the discriminator."""

import pytest
import torch
import torch.nn.functional as F

from limpid import create_model
from limpid.blocks.munit import AdaptiveNorm, MultiScaleDiscriminator, SampleNorm
from limpid.checkpoints.recognise import recognise
from limpid.errors import SettingError
from limpid.layers.separation import Separation


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create_model("usi3d", "tiny", training_parts=True).eval()


def test_the_forward_is_raw_and_shown_is_stretched_over_the_whole_photo(network):
    with torch.inference_mode():
        raw = network(torch.rand(2, 3, 32, 48))
        shown = network.to_unit_range(raw)
    assert any(float(layer.min()) < 0 for layer in raw.values())
    for layer in shown.values():
        for sample in layer:
            assert (float(sample.min()), float(sample.max())) == pytest.approx((0, 1))
    single = network.to_unit_range(Separation({name: layer[1] for name, layer in raw.items()}))
    assert torch.allclose(single.albedo, shown.albedo[1])


def test_a_flat_layer_is_shown_without_division_by_zero(network):
    flat = Separation({"albedo": torch.full((3, 4, 4), 0.3), "shading": torch.full((3, 4, 4), -1.0)})
    assert all(float(layer.abs().max()) == 0 for layer in network.to_unit_range(flat).values())


def test_the_other_ranges(network):
    layers = Separation({"albedo": torch.tensor([-1.0, 0.0, 1.0])[:, None, None], "shading": torch.zeros(3, 1, 1)})
    half = create_model("usi3d", "tiny", output_range="half").to_unit_range(layers)
    assert half.albedo.flatten().tolist() == [0, 0.5, 1]
    assert create_model("usi3d", "tiny", output_range="raw").to_unit_range(layers) is layers


def test_a_signed_network_is_fed_minus_one_to_one(network):
    signed = create_model("usi3d", "tiny", training_parts=True, input_range="signed").eval()
    signed.load_state_dict(network.state_dict())
    photo = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(signed(photo).albedo, network(photo * 2 - 1).albedo)


def test_every_domain_encodes_and_decodes_in_training(network):
    photo = torch.rand(1, 3, 32, 48)
    for generator in (network.i, network.r, network.s):
        content, style = generator.encode(photo)
        assert generator.decode(content, style).shape == photo.shape
    both = network.fs(style)
    assert both.shape == (1, 8)
    assert network.fm(both).shape == style.shape


def test_norms_follow_their_formulas():
    features = torch.randn(2, 4, 5, 6)
    style = torch.randn(2, 8)
    shift, scale = style[:, :4, None, None], style[:, 4:, None, None]
    mean = features.mean((2, 3), keepdim=True)
    expected = (features - mean) / (features.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt() * scale + shift
    assert torch.allclose(AdaptiveNorm(4)(features, style), expected, atol=1e-5)
    norm = SampleNorm(4)
    flat = features.flatten(1)
    expected = ((flat - flat.mean(1, keepdim=True)) / (flat.std(1, keepdim=True) + 1e-5)).reshape(features.shape)
    assert torch.allclose(norm(features), expected * norm.gamma[:, None, None] + norm.beta[:, None, None], atol=1e-6)


def test_the_discriminator_judges_the_image_and_its_halves():
    torch.manual_seed(0)
    judge = MultiScaleDiscriminator(width=4)
    image = torch.rand(1, 3, 64, 64)
    maps = judge(image)
    assert [tuple(found.shape) for found in maps] == [(1, 1, 4, 4), (1, 1, 2, 2), (1, 1, 1, 1)]
    half = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
    assert torch.allclose(judge.cnns[1](half), maps[1])
    assert len({float(value) for found in maps for value in found.detach().flatten()}) > 1


def test_a_file_without_the_mapping_is_recognised_and_its_styles_are_the_means_of_those_drawn():
    torch.manual_seed(0)
    bare = create_model("usi3d", "tiny", training_parts=True, mapping=0).eval()
    assert not any(key.startswith(("fs.", "fm.")) for key in bare.state_dict())
    found = recognise(bare.state_dict(), "bare")
    assert (found.model, found.settings["mapping"], found.settings["training_parts"]) == ("usi3d", 0, True)
    style = torch.rand(1, 4)
    assert [part.unique().tolist() for part in bare.split(style)] == [[10.0], [-10.0]]
    samples = {name: torch.rand(1, 3, 32, 32) for name in ("albedo", "shading")}
    assert len(bare.translate(torch.rand(1, 3, 32, 32), samples).compared["style"]) == 6


def test_a_translation_holds_the_terms_that_the_authors_add_up(network):
    torch.manual_seed(1)
    samples = {name: torch.rand(2, 3, 32, 32) for name in ("albedo", "shading")}
    made = network.translate(torch.rand(2, 3, 32, 32), samples)
    assert {name: len(pairs) for name, pairs in made.compared.items()} == {"self": 3, "content": 6, "style": 7, "cycle": 6}
    assert {name: len(fakes) for name, fakes in made.fakes.items()} == {"albedo": 3, "shading": 3}
    assert len(made.compositions) == 2
    randoms = [target for _, target in made.compared["style"]]
    assert float(randoms[0].mean()) == pytest.approx(10, abs=1.5)  # albedo, of the other layer's content
    assert float(randoms[1].mean()) == pytest.approx(-10, abs=1.5)
    assert all(torch.equal(randoms[place], randoms[place + 4]) for place in (0, 1))  # compared with what was used
    itself, target = made.compared["self"][1]
    content, style = network.r.encode(samples["albedo"])
    assert torch.allclose(itself, network.r.decode(content, style), atol=1e-5)  # by the generator of its own domain
    assert torch.equal(target, samples["albedo"])


def test_without_its_training_parts_it_cannot_learn_so():
    photo = torch.rand(1, 3, 32, 32)
    with pytest.raises(SettingError, match="training_parts: true"):
        create_model("usi3d", "tiny").translate(photo, {"albedo": photo, "shading": photo})
