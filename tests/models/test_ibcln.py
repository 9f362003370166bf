"""What the cascade promises besides its layers."""

import pytest
import torch

from limpid import create_model
from limpid.errors import SettingError
from limpid.models.ibcln import Ibcln, Refiner


def alive(network):
    torch.manual_seed(0)
    for parameter in network.parameters():
        inputs = parameter[0].numel()  # nothing below 0 and nothing that grows, so that no unit is dead or saturated
        parameter.data = 2 * torch.rand_like(parameter) / inputs if parameter.ndim > 1 else torch.zeros_like(parameter)
    return network


def test_the_first_step_equals_one_with_an_empty_memory():
    refiner = alive(Refiner(4, 0.3)).double().eval()
    images = torch.rand(1, 9, 24, 32, dtype=torch.float64)
    empty = torch.zeros(1, 16, 6, 8, dtype=torch.float64)
    short, remembered, _ = refiner(images, None)
    full, state, _ = refiner(images, (empty, empty))
    assert torch.allclose(short, full, rtol=1e-12)
    assert all(torch.allclose(one, other, rtol=1e-12) for one, other in zip(remembered, state, strict=True))


def test_the_memory_matters():
    refiner = alive(Refiner(4, 0.3)).eval()
    images = torch.rand(1, 9, 24, 32)
    first, state, _ = refiner(images, None)
    assert not torch.allclose(first, refiner(images, state)[0])


def test_dropout_is_off_at_inference_and_on_in_training():
    network, photo = alive(create_model("ibcln", "tiny")), torch.rand(1, 3, 16, 16)
    network.eval()
    assert torch.equal(network(photo).transmission, network(photo).transmission)
    network.train()
    assert not torch.equal(network(photo).transmission, network(photo).transmission)


def test_small_images_are_there_in_training_alone():
    network, photo = create_model("ibcln", "tiny"), torch.rand(1, 3, 16, 24)
    steps = network.train()(photo).steps
    assert steps["transmission_half"].shape == steps["reflection_half"].shape == (1, 3, 8, 12)
    assert steps["transmission_quarter"].shape == steps["reflection_quarter"].shape == (1, 3, 4, 6)
    assert set(network.eval()(photo).steps) == {f"{layer}_{step}" for layer in ("transmission", "reflection") for step in (1, 2, 3)}


def test_reach_of_one_pass():  # errnet_ibcln.md §3.1: at most 160 px up or left, 154 px down or right
    refiner = alive(Refiner(2, 0.0)).double().eval()
    reached = []
    for offset in range(4):
        images = torch.rand(1, 9, 8, 400, dtype=torch.float64, requires_grad=True)
        refiner(images, None)[0][0, :, 4, 200 + offset].sum().backward()
        touched = images.grad[0].abs().sum((0, 1)).nonzero() - 200 - offset
        reached.append((int(touched.min()), int(touched.max())))
    assert min(low for low, _ in reached) == -160
    assert max(high for _, high in reached) == 154


def test_impossible_settings_are_refused():
    with pytest.raises(SettingError, match="1 to 100 steps"):
        Ibcln(steps=0)
    with pytest.raises(SettingError, match="even width"):
        Ibcln(width=3)
