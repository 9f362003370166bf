import pytest
import torch

from limpid.data.collate import collate
from limpid.errors import DataError, SettingError
from limpid.layers.pair import Pair
from limpid.layers.task import TASKS


def pair(level, *, size=(4, 6), reflection=True, **settings):
    photo, *layers = (torch.full((3, *size), level + place / 10) for place in range(3))
    known = dict(zip(("transmission", "reflection")[: 1 + reflection], layers, strict=False))
    return Pair(input=photo, layers=known, name=f"p{level}", **settings)


def test_layers_are_stacked_and_what_nobody_knows_is_marked():
    pairs = [pair(0.1, kind="synthetic", gain=0.9), pair(0.5, reflection=False), pair(0.3, reflection=False, kind="unaligned")]
    batch = collate(pairs, TASKS["reflection"])
    assert batch.kinds == ("synthetic", "aligned", "unaligned")
    assert batch.names == ("p0.1", "p0.5", "p0.3")
    torch.testing.assert_close(batch.gain, torch.tensor([0.9, 1.0, 1.0]))
    assert set(batch.truth) == set(batch.known) == {"transmission", "reflection"}
    assert batch.known["transmission"].tolist() == [True, True, True]
    assert batch.known["reflection"].tolist() == [True, False, False]
    assert torch.equal(batch.truth["reflection"][0], pairs[0].layers["reflection"])
    assert not batch.truth["reflection"][1:].any()
    assert torch.equal(batch.input[2], pairs[2].input)
    assert torch.equal(batch.truth["transmission"][2], pairs[2].layers["transmission"])


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_task_finds_its_layers(task):
    photos = torch.rand(2, 3, 4, 6)
    pairs = [Pair(input=photo, layers={name: photo / 2 for name in task.layers}, name="x") for photo in photos]
    batch = collate(pairs, task)
    assert tuple(batch.truth) == tuple(batch.known) == task.layers
    assert all(torch.equal(batch.truth[name], photos / 2) and batch.known[name].all() for name in task.layers)
    assert batch.task is task


def test_unequal_sizes_are_refused_with_the_remedy():
    with pytest.raises(DataError, match=r"p0.1 6×4, p0.2 8×4. Set data.augment.crop, or data.batch to 1"):
        collate([pair(0.1), pair(0.2, size=(4, 8))], TASKS["reflection"])


def test_a_target_of_another_size_than_its_input_is_refused():
    small = Pair(input=torch.zeros(3, 2, 2), layers={"restored": torch.zeros(3, 4, 4)}, name="small")
    with pytest.raises(DataError, match=r"small has a restored of \(3, 4, 4\) for an input of \(3, 2, 2\)"):
        collate([small], TASKS["denoise"])


def test_layers_that_no_pair_holds_are_refused():
    with pytest.raises(SettingError, match="p0.1 holds transmission, reflection, but intrinsic trains albedo, shading"):
        collate([pair(0.1)], TASKS["intrinsic"])
