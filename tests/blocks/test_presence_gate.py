"""The gate tells photos with a reflection from others, and nothing of it flows back into the layers."""

import pytest
import torch

from limpid.blocks.presence_gate import PresenceGate, change_statistics, pooled


def layers(count, side, *, change):
    photo = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.25
    return photo, photo - change, torch.zeros_like(photo) + change


def test_pooled_maps_are_means_and_deviations():
    first, second = torch.rand(2, 3, 5, 7), torch.rand(2, 4, 2, 2)
    found = pooled([first, second])
    assert found.shape == (2, 2 * (3 + 4))
    torch.testing.assert_close(found[:, :3], first.mean((2, 3)))
    torch.testing.assert_close(found[:, 10:], second.flatten(2).std(2))


@pytest.mark.parametrize("side", [7, 30, 31, 64])
def test_an_even_change_is_found_as_it_is(side):
    change = 0.1
    mean, deviation, largest, taken, signed, *shares = change_statistics(*layers(2, side, change=change))[0].tolist()
    assert (10**mean, 10**largest, 10**taken) == pytest.approx((change,) * 3, abs=2e-4)
    assert 10**deviation == pytest.approx(1e-4, abs=1e-4)
    assert signed == pytest.approx(change, abs=1e-5)
    assert shares == [1.0, 1.0, 0.0]


def test_it_learns_to_tell_changed_photos_from_others():
    torch.manual_seed(0)
    gate = PresenceGate([2])
    optimizer = torch.optim.Adam(gate.parameters(), 0.02)
    cases = [(change, float(change > 0.05)) for change in (0.0, 0.01, 0.1, 0.2)]

    def logits():
        blank = [torch.zeros(len(cases), 2, 4, 4)]
        parts = [torch.cat(part) for part in zip(*(layers(1, 32, change=change) for change, _ in cases), strict=True)]
        return gate(blank, *parts)

    truth = torch.tensor([label for _, label in cases])
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    gate.eval()
    assert ((logits() > 0).float() == truth).all()


def test_nothing_flows_back():
    gate, maps = PresenceGate([2]), torch.rand(2, 2, 4, 4, requires_grad=True)
    photo, transmission, reflection = (layer.requires_grad_() for layer in layers(2, 32, change=0.1))
    gate([maps], photo, transmission, reflection).sum().backward()
    assert maps.grad is None
    assert transmission.grad is None
    assert reflection.grad is None
    assert all(parameter.grad is not None for parameter in gate.parameters())
