"""Promises that every network of the catalogue makes, tested before its author writes a test."""

import pytest
import torch

from limpid import catalogue, create_model, list_models
from limpid.checkpoints import file
from limpid.errors import UnknownNameError
from limpid.layers.network import LayerNetwork
from limpid.layers.task import TASKS
from limpid.runtime.cost import Cost
from limpid.runtime.separator import Separator
from network_samples import tiny

NAMES = catalogue.names("models")
SIZES = [(1, 1), (1, 7), (3, 5), (16, 16), (17, 31), (32, 48), (33, 33), (40, 64), (63, 65), (65, 64)]


def separator(name):
    made = Separator(tiny(name), TASKS[catalogue.find("models", name).tasks[0]], name=name, model=name)
    made.cost = Cost(bytes_per_pixel=1e4, seconds_per_pixel=1e-6)  # measuring it takes longer than the tests
    return made


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete(name):
    entry = catalogue.find("models", name)
    assert entry.source
    assert set(entry.tasks) <= set(TASKS)
    assert entry.layers == TASKS[entry.tasks[0]].layers
    assert "tiny" in entry.sizes
    network = create_model(name, "tiny")
    assert isinstance(network, LayerNetwork)
    assert "float32" in network.needs.precisions
    assert name in list_models(entry.tasks[0])
    assert name in list_models(f"*{name[1:]}")
    assert name not in list_models("no such*")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_every_layer_has_the_size_of_the_photo(name, size):
    layers = separator(name)(torch.rand(3, *size))
    assert {tuple(layer.shape) for layer in layers.values()} == {(3, *size)}
    assert all(bool(torch.isfinite(layer).all()) for layer in layers.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_gives_what_its_photos_give_alone(name):
    network = tiny(name).eval()
    side = max(64, network.needs.minimum)
    photos = torch.rand(2, 3, side, side)
    with torch.inference_mode():
        together, alone = network(photos), network(photos[1:])
    for layer in together:
        assert torch.allclose(together[layer][1:], alone[layer], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter_and_are_finite(name):
    network = tiny(name).train()
    layers = network(torch.rand(2, 3, 64, 64))
    everything = (*layers.values(), *layers.steps.values())
    sum(layer.square().mean() for layer in everything).backward()
    for key, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        assert parameter.grad is not None, key
        assert bool(torch.isfinite(parameter.grad).all()), key
        assert float(parameter.grad.abs().sum()) > 0, key


@pytest.mark.parametrize("name", NAMES)
def test_equal_input_gives_equal_bytes(name):
    photo, network = torch.rand(3, 48, 64), separator(name)
    first, second = network(photo), network(photo)
    assert all(torch.equal(first[layer], second[layer]) for layer in first)


@pytest.mark.parametrize("name", NAMES)
def test_state_dict_round_trip_through_a_file(name, tmp_path):
    network = tiny(name).eval()
    settings = catalogue.find("models", name).sizes["tiny"]
    path = tmp_path / "weights.safetensors"
    file.save(path, file.Checkpoint(model=name, settings=settings, tensors=network.state_dict(), notes={}))
    again = file.build(file.read(path), source=str(path))
    photo = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before, after = network(photo), again(photo)
    assert all(torch.equal(before[layer], after[layer]) for layer in before)


@pytest.mark.parametrize("name", NAMES)
def test_tiles_do_not_show(name):
    photo, network = torch.rand(3, 400, 520), separator(name)
    if network.network.needs.tiling != "harmless":
        pytest.skip("this network says that tiles show")
    whole = network(photo, resolution="full", tile="off")
    tiled = network(photo, resolution="full", tile=str(2 * network.halo + 176))
    for layer in whole:
        assert torch.allclose(whole[layer], tiled[layer], atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_radius_is_no_understatement(name):
    network = tiny(name).double().eval()
    radius = network.radius
    if radius is None or network.has_context:
        pytest.skip("this network sees everything, or needs a context not to (tests/blocks/test_global_context)")
    side = 2 * (radius + 40) // 16 * 16
    photo = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    centre = side // 2 + 3
    next(iter(network(photo).values()))[0, :, centre, centre].sum().backward()
    touched = photo.grad[0].abs().sum(0).nonzero()
    assert int((touched - centre).abs().max()) <= radius


def test_unknown_names_answer_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'limpid'"):
        create_model("limpd")
    with pytest.raises(UnknownNameError, match="did you mean 'tiny'"):
        create_model("limpid", "tny")
    with pytest.raises(UnknownNameError, match="did you mean 'width'"):
        create_model("limpid", widht=3)


@pytest.mark.parametrize("name", NAMES)
def test_every_promised_precision_stays_close_to_float32(name):
    photo, plain = torch.rand(3, 64, 64), separator(name)
    exact = plain(photo)
    for precision in plain.network.needs.precisions:
        made = Separator(tiny(name), plain.task, name=name, precision=precision)
        made.cost = Cost(bytes_per_pixel=1e4, seconds_per_pixel=1e-6)
        layers = made(photo)
        assert all(layer.dtype == torch.float32 and layer.device.type == "cpu" for layer in layers.values())
        assert all(float((layers[layer] - exact[layer]).abs().mean()) < 0.01 for layer in exact)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_in_double_precision_answers_in_it(name):
    photo = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    with torch.inference_mode():
        layers = tiny(name).double().eval()(photo)
    assert {layer.dtype for layer in layers.values()} == {torch.float64}
