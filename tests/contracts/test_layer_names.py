"""A network's layers bear the right names: exchange them, and a test fails here for every network that has more than one."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from limpid import catalogue, load
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation
from limpid.metrics.psnr import psnr
from limpid.physics.intrinsic_scenes import SceneSettings, scene
from limpid.physics.seeds import generator
from limpid.runtime.demo import blend
from limpid.weights.manifest import rows
from network_samples import tiny

SEVERAL = [name for name in catalogue.names("models") if len(catalogue.find("models", name).layers) > 1]


@dataclass(frozen=True)
class Witness:
    """What tells the layers of an architecture apart: with ``silence``, ``vanishes`` is black and no other layer is."""

    silence: Callable[[LayerNetwork], object]
    vanishes: str
    because: str


def part(name: str, first: int = 0) -> Callable[[LayerNetwork], object]:
    """Silence the part of that name, from its output channel ``first`` on: weights and biases are 0."""
    return lambda network: [parameter.data[first:].zero_() for parameter in network.get_submodule(name).parameters()]


def first_stream(name: str) -> Callable[[LayerNetwork], object]:
    """Silence the first half of the batch that leaves the last layer of both streams."""

    def first_silent(module: object, entered: object, streams: torch.Tensor) -> torch.Tensor:
        first, second = streams.chunk(2)
        return torch.cat((torch.zeros_like(first), second))

    return lambda network: network.get_submodule(name).register_forward_hook(first_silent)


def takes_all(network: LayerNetwork) -> object:
    """What the second branch of a decoder takes off the photo is the photo."""
    seen: list[torch.Tensor] = []
    network.register_forward_pre_hook(lambda module, entered: seen.append(entered[0]))
    return network.decoder_blocks.register_forward_hook(lambda module, entered, taken: torch.cat((taken[:, :3], seen[-1]), dim=1))


def darkened(name: str) -> Callable[[LayerNetwork], object]:
    """Silence a convolution before a sigmoid: its weights are 0, its biases far below."""

    def darken(network: LayerNetwork) -> object:
        convolution = network.get_submodule(name)
        convolution.weight.data.zero_()
        return convolution.bias.data.fill_(-1000.0)

    return darken


def endless_light(network: LayerNetwork) -> object:
    """The light is found to be so strong that nothing can be left of the things in it."""
    network.light.working = 64  # the photo is seen as it is
    return network.light.register_forward_hook(lambda module, entered, found: (found[0] + 200, *found[1:]))


def black_decoder(network: LayerNetwork) -> object:
    """The second decoder answers with black, from which its head is half of full scale away."""
    part("decoders.1")(network)
    return network.decoders[1].head[0].bias.data.fill_(-0.5)


WITNESSES = {
    "basenet": Witness(part("deconv3"), "transmission", "the published network answers with T alone; R is I − T"),
    "dsrnet": Witness(first_stream("ending"), "transmission", "T is the stream in the first half of the batch, as published"),
    "dsit": Witness(first_stream("out"), "transmission", "published streams: l is T, r is R"),
    "errnet": Witness(part("deconv3"), "transmission", "the published network answers with T alone; R is I − T"),
    "hypercolumn": Witness(part("conv_last", 3), "reflection", "the first three channels are T, as published, the last three R"),
    "ibcln": Witness(part("G_T.output"), "transmission", "published as two files: G_T makes T, G_R makes R"),
    "light_unet": Witness(endless_light, "albedo", "the albedo is the photo over the light, the shading is the light"),
    "location_aware": Witness(part("output"), "transmission", "published: the half that removes ends in `output`"),
    "ragnet": Witness(darkened("GT_state.outTc.conv"), "transmission", "published as two networks: GT makes T, GR makes R"),
    "rdnet": Witness(takes_all, "transmission", "published: channels 3-5 of a column are T, which the second branch makes"),
    "limpid": Witness(part("heads.1"), "reflection", "the first head changes the photo into T, the second makes R"),
    "sils": Witness(black_decoder, "reflection", "decoders stand in the order of the layers' names"),
    "ytmt": Witness(darkened("icnn2.outc_1.conv"), "transmission", "published: the first stream is T, the second R"),
    "usi3d": Witness(part("r"), "albedo", "published decoders: r of the reflectance, s of the shading"),
}
"""Name of a network → what tells its layers apart."""


def vanished(name: str, layers: Callable[[LayerNetwork, torch.Tensor], Separation]) -> list[str]:
    network, photo = tiny(name).eval(), torch.rand(1, 3, 64, 64)
    WITNESSES[name].silence(network)
    with torch.inference_mode():
        return [layer for layer, value in layers(network, photo).items() if not value.any()]


def test_every_network_of_several_layers_has_a_witness():
    assert set(SEVERAL) == set(WITNESSES), "say in WITNESSES what tells the layers of a new network apart, and why"


@pytest.mark.parametrize("name", WITNESSES)
def test_what_is_silenced_is_the_layer_that_vanishes(name):
    assert vanished(name, lambda network, photo: network(photo)) == [WITNESSES[name].vanishes], WITNESSES[name].because


@pytest.mark.parametrize("name", WITNESSES)
def test_exchanged_names_are_found_out(name):
    def exchanged(network, photo):
        first, second, *rest = network(photo).items()
        return Separation({first[0]: second[1], second[0]: first[1], **dict(rest)})

    assert vanished(name, exchanged) != [WITNESSES[name].vanishes]


MIXED = {"reflection": blend, "intrinsic": lambda: scene((96, 96), generator(5, "names"), SceneSettings(shadows=1.0, folds=0.0))}
"""Task → a photo with known layers."""

SHIPPED = [row.name for row in rows().values() if row.model in SEVERAL]


@pytest.mark.parametrize("name", SHIPPED)
def test_each_layer_of_shipped_weights_is_nearest_to_the_truth_of_its_name(name):
    separator = load(name)
    mixture = MIXED[separator.task.name]()
    answer = separator.run(mixture.input)
    found = {"photo": mixture.input, **{layer: answer[layer].clamp(0, 1) for layer in separator.task.layers}}
    for layer in separator.task.layers:
        scores = {candidate: psnr(image, getattr(mixture, layer)) for candidate, image in found.items()}
        assert max(scores, key=scores.__getitem__) == layer, scores
