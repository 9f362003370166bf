"""What may be added to our own network: each starts as if it were not there, and does what it is for."""

import pytest
import torch

from limpid import catalogue
from limpid.models.limpid import Limpid

SMALL = {"width": 8, "encoder": (1, 1, 1), "middle": 1, "decoder": (1, 1, 1), "window": 3}
PARTS = ("features", "scales", "fills", "hints", "gate")


def built(**settings):
    torch.manual_seed(3)
    return Limpid(**SMALL, **settings).eval()


def photo(count=2, channels=3, side=64):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("part", PARTS)
def test_weights_without_a_part_are_continued_with_it(part):
    plain, larger = built(), built(**{part: True})
    missing, unexpected = larger.load_state_dict(plain.state_dict(), strict=False)
    assert missing
    assert not unexpected
    assert all(name.startswith(Limpid.may_start_new) for name in missing)
    with torch.no_grad():
        before, after = plain(photo()), larger(photo())
    for name in before:  # a place starts as lost with a probability of 0.2 %
        torch.testing.assert_close(after[name], before[name], atol=5e-3 if part == "fills" else 0, rtol=0)


def test_a_hint_is_heard_once_it_was_learnt_and_its_absence_means_no_hint():
    network, hinted = built(hints=True), photo(channels=4)
    with torch.no_grad():
        network.hint_intro.weight.normal_(0, 0.1)
        silent = torch.cat([hinted[:, :3], torch.zeros(2, 1, 64, 64)], 1)
        assert torch.equal(network(hinted[:, :3]).transmission, network(silent).transmission)
        assert not torch.allclose(network(hinted).transmission, network(silent).transmission, atol=1e-3)


def test_lost_places_are_filled_and_no_others():
    network = built(fills=True)
    with torch.no_grad():
        network.fill.head.bias[:12] = 0.25
        network.fill.head.bias[12:] = 20.0
        torch.testing.assert_close(network(photo()).transmission, torch.full((2, 3, 64, 64), 0.25), atol=1e-4, rtol=0)
        network.fill.head.bias[12:] = -20.0
        torch.testing.assert_close(network(photo()).transmission, built()(photo()).transmission)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_gate_answers_with_a_probability_per_photo(mirrored):
    network = built(gate=True, mirrored=mirrored)
    with torch.no_grad():
        probability = network.presence(photo(), network(photo()))
    assert probability.shape == (2,)
    assert ((probability > 0) & (probability < 1)).all()
    assert built().presence(photo(), built()(photo())) is None
    assert network.train()(photo()).steps["presence"].shape == (2, 1, 1, 1)


@pytest.mark.parametrize(("size", "most"), [("base", 5e6), ("large", 5e6), ("features", 8e6)])
def test_sizes_keep_their_promise(size, most):
    entry = catalogue.find("models", "limpid")
    with torch.device("meta"):
        network = entry.build(**catalogue.settings_of(entry, size))
    assert sum(parameter.numel() for parameter in network.parameters()) <= most
