import pytest
import torch

from limpid.data.collate import collate
from limpid.errors import DataError, SettingError
from limpid.layers.pair import Pair


def pair(level, *, size=(4, 6), reflection=True, **settings):
    layers = {
        name: torch.full((3, *size), level + place / 10) for place, name in enumerate(("input", "transmission", "reflection"))
    }
    if not reflection:
        layers["reflection"] = None
    return Pair(**layers, name=f"p{level}", **settings)


def test_layers_are_stacked_and_what_nobody_knows_is_marked():
    pairs = [pair(0.1, kind="synthetic", gain=0.9), pair(0.5, reflection=False), pair(0.3, reflection=False, kind="unaligned")]
    batch = collate(pairs, ("transmission", "reflection", "residual"))
    assert batch.kinds == ("synthetic", "aligned", "unaligned")
    assert batch.names == ("p0.1", "p0.5", "p0.3")
    torch.testing.assert_close(batch.gain, torch.tensor([0.9, 1.0, 1.0]))
    assert set(batch.truth) == set(batch.known) == {"transmission", "reflection"}
    assert batch.known["transmission"].tolist() == [True, True, True]
    assert batch.known["reflection"].tolist() == [True, False, False]
    assert torch.equal(batch.truth["reflection"][0], pairs[0].reflection)
    assert not batch.truth["reflection"][1:].any()
    assert torch.equal(batch.input[2], pairs[2].input)
    assert torch.equal(batch.truth["transmission"][2], pairs[2].transmission)


def test_a_restored_layer_is_the_transmission_of_the_pair():
    batch = collate([pair(0.1), pair(0.2)], ("restored",))
    assert set(batch.truth) == {"restored"}
    assert torch.equal(batch.truth["restored"][1], pair(0.2).transmission)
    assert batch.known["restored"].all()


def test_a_network_of_the_transmission_alone_has_no_other_truth():
    assert set(collate([pair(0.1)], ("transmission",)).truth) == {"transmission"}


def test_unequal_sizes_are_refused_with_the_remedy():
    with pytest.raises(DataError, match=r"p0.1 6×4, p0.2 8×4. Set data.augment.crop, or data.batch to 1"):
        collate([pair(0.1), pair(0.2, size=(4, 8))], ("restored",))


def test_a_target_of_another_size_than_its_input_is_refused():
    small = Pair(input=torch.zeros(3, 2, 2), transmission=torch.zeros(3, 4, 4), reflection=None, name="small")
    with pytest.raises(DataError, match=r"small has a target of \(3, 4, 4\) for an input of \(3, 2, 2\)"):
        collate([small], ("restored",))


def test_layers_that_no_pair_holds_are_refused():
    with pytest.raises(SettingError, match="albedo"):
        collate([pair(0.1)], ("albedo", "shading"))
