"""Double-DIP: its network, its loss, a short fit, and the command: progress, preview, a stop that keeps the best so far."""

import pytest
import torch

from limpid.blocks.skip_network import SkipNetwork
from limpid.errors import SettingError
from limpid.layers.task import TASKS
from limpid.runtime.double_dip import DoubleDip, fit_layers, plain_exclusion, turned
from limpid.runtime.load import load


def test_the_network_has_the_published_number_of_parameters_and_keeps_sizes():
    network = SkipNetwork()
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_544_987
    drawn = network(torch.rand(1, 3, 96, 128))
    assert drawn.shape == (1, 3, 96, 128)
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1


def test_exclusion_is_that_of_the_formula_and_free_for_flat_layers():
    first, second = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    expected, a, b = 0.0, first, second
    for _ in range(3):
        for dim in (2, 3):
            gradients = [(2 * torch.sigmoid(image.diff(dim=dim)) - 1) ** 2 for image in (a, b)]
            expected += sum(float((gradients[0][:, i] * gradients[1][:, j]).mean() ** 0.25) for i in range(3) for j in range(3)) / (
                3 * 9
            )
        a, b = (torch.nn.functional.avg_pool2d(image, 2) for image in (a, b))
    assert float(plain_exclusion(first, second)) == pytest.approx(expected / 2, rel=1e-4)
    assert float(plain_exclusion(first, torch.full_like(first, 0.4))) < 2e-3


def test_the_eight_turns_differ_and_the_first_is_none():
    image = torch.rand(1, 3, 4, 4)
    made = [turned(image, turn) for turn in range(8)]
    assert torch.equal(made[0], image)
    assert len({tuple(one.flatten().tolist()) for one in made}) == 8


def test_a_fit_gets_better_tells_of_every_step_and_keeps_the_best_when_stopped():
    photo = torch.rand(3, 1, 1).expand(3, 96, 96).clone()
    steps = []

    def seen(step, best):
        steps.append((step, best.psnr))
        if step == 6:
            raise KeyboardInterrupt

    best = fit_layers(photo, steps=50, seen=seen)
    assert [step for step, _ in steps] == [1, 2, 3, 4, 5, 6]
    assert best.psnr == max(psnr for _, psnr in steps) > steps[0][1]
    assert all(layer.shape == photo.shape and not layer.requires_grad for layer in best.layers)


def test_a_likeness_beside_that_of_pixels_is_part_of_the_loss():
    photo, seen = torch.rand(3, 1, 1).expand(3, 96, 96).clone(), []

    def likeness(total, target):
        seen.append((tuple(total.shape), float((target - photo).abs().max())))
        return total.sum() * torch.nan  # nothing can be drawn after it

    best = fit_layers(photo, steps=3, perceptual=likeness)
    assert seen[0] == ((1, 3, 96, 96), 0.0)
    assert len(seen) == 3
    assert best.step == 1


def test_the_perceptual_variant_compares_maps_of_efficientnet():
    made = load("double_dip_perceptual", "cpu", backbone_weights="none", task="layers_2")
    assert isinstance(made, DoubleDip)
    assert made.name == "double_dip_perceptual"
    photo = torch.rand(1, 3, 96, 96)
    other = photo.clone().requires_grad_()
    made._perceptual(other, photo.roll(5, -1)).backward()
    assert float(other.grad.abs().sum()) > 0
    assert float(made._perceptual(photo, photo)) == 0


@pytest.mark.parametrize("size", [(64, 96), (96, 100)])
def test_sizes_that_it_cannot_draw_are_refused(size):
    with pytest.raises(SettingError, match="sides of 32 px"):
        fit_layers(torch.rand(3, *size), steps=1)


def test_it_separates_what_adds_up_into_two():
    with pytest.raises(SettingError, match="two layers that add up"):
        DoubleDip(TASKS["intrinsic"], device=torch.device("cpu"))
