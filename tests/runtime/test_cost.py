"""What a forward costs is known beforehand for our own networks, seen in the first photo of others, and remembered."""

import json

import pytest
import torch
from torch import nn

import limpid
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.runtime import cost
from limpid.runtime.cost import MARGIN, Cost, LiveBytes, measure, remember, remembered, shipped
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import Separator
from limpid.weights import manifest

CPU = torch.device("cpu")
SHA = "f" * 64


class Counted(LayerNetwork):
    """Remembers the sizes that it was shown."""

    needs, radius = Needs(multiple=16, minimum=16), 16

    def __init__(self, tiling="harmless"):
        super().__init__()
        self.needs = Needs(multiple=16, minimum=16, tiling=tiling)
        self.seen = []

    def separate(self, mixed, recall=None):
        self.seen.append(tuple(mixed.shape[-2:]))
        return Separation({"transmission": mixed * 0.5, "reflection": mixed * 0.5})


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def separator(sha256=SHA, tiling="harmless"):
    return Separator(Counted(tiling), TASKS["reflection"], name="counted", sha256=sha256)


def test_activations_are_counted_while_they_live():
    network = nn.Sequential(nn.Conv2d(3, 10, 1), nn.ReLU(inplace=True), nn.Conv2d(10, 5, 1))
    found = measure(network, CPU, 64)
    assert found.bytes_per_pixel == pytest.approx(MARGIN * 4 * (10 + 5))  # both maps live while the second is made
    assert found.seconds_per_pixel > 0
    assert found.pixels == 64**2


@pytest.mark.parametrize(
    ("size", "settings"),
    [((30, 40), {}), ((256, 256), {}), ((300, 420), {"tile": "off"}), ((300, 420), {"tile": "off", "max_memory": 1})],
)
def test_the_first_photo_of_an_unknown_network_costs_one_forward(size, settings):
    made = separator()
    before = made.plan(size, SeparationOptions(**settings))
    assert (before.ram, before.seconds) == (None, None)
    made(torch.rand(3, *size), **settings)
    assert len(made.network.seen) == 1
    after = made.plan(size, SeparationOptions(**settings))
    assert after.ram > 0
    assert after.seconds > 0


def test_a_larger_photo_of_an_unknown_network_is_tried_once_and_never_again():
    made = separator()
    made(torch.rand(3, 300, 420))
    assert made.network.seen == [(256, 256), (304, 432)]
    again = separator()  # another process, as it were
    again(torch.rand(3, 300, 420))
    assert again.network.seen == [(304, 432)]
    other = separator(sha256="e" * 64)
    other(torch.rand(3, 300, 420))
    assert len(other.network.seen) == 2


def test_weights_of_no_file_are_not_remembered(cache):
    separator(sha256=None)(torch.rand(3, 300, 420))
    assert not cache.exists()


@pytest.mark.parametrize("task", ["reflection", "denoise", "deblur"])
def test_shipped_networks_are_never_tried(monkeypatch, task):
    made, seen = limpid.load(task=task), []
    monkeypatch.setattr(made.network, "forward", lambda mixed, context=None: seen.append(tuple(mixed.shape[-2:])))
    assert made.plan((700, 900), SeparationOptions()).ram > 0
    assert seen == []


@pytest.mark.parametrize("name", list(manifest.rows()))
def test_shipped_costs_are_those_of_the_networks(name):
    made = limpid.load(name, precision="float32")
    assert made.known_cost
    with LiveBytes() as counter:
        made.run(torch.rand(3, 128, 128))
    counted = cost.seen(128 * 128, 1.0, counter).bytes_per_pixel
    assert set(manifest.rows()[name].costs) == set(made.network.needs.precisions)
    assert shipped(made.sha256, CPU, "float32").bytes_per_pixel == pytest.approx(counted, rel=0.3)


def test_what_is_measured_here_replaces_what_is_shipped(cache):
    made = limpid.load("limpid_denoise", precision="float32")
    assert made.cost.pixels == 0
    made._learn_from(64 * 64, 1e6, None)  # setting up takes long, and says nothing of larger photos
    assert made.cost.pixels == 0
    made._learn_from(600 * 600, 3.6e5, None)
    assert made.cost.seconds_per_pixel == pytest.approx(1.0)
    assert limpid.load("limpid_denoise", precision="float32").cost == made.cost
    assert [file.suffix for file in (cache / "costs").iterdir()] == [".json"]


def test_a_cost_that_is_set_stays(cache):
    made = separator()
    made.cost = given = Cost(bytes_per_pixel=1000, seconds_per_pixel=1e9)
    made(torch.rand(3, 300, 420))
    assert made.cost == given
    assert not cache.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"[]", b'{"bytes_per_pixel": "much"}'])
@pytest.mark.parametrize("place", ["note", "folder"])
def test_a_note_of_no_use_is_as_none(cache, content, place):
    remember(Cost(bytes_per_pixel=5, seconds_per_pixel=5), SHA, CPU, "float32")
    (note,) = (cache / "costs").iterdir()
    assert remembered(SHA, CPU, "float32").bytes_per_pixel == 5
    if place == "note":
        note.write_bytes(content)
    else:
        note.unlink()
        note.mkdir()
    assert remembered(SHA, CPU, "float32") is None


@pytest.mark.parametrize("wrong", [0, -1, 1e12, float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["bytes_per_pixel", "seconds_per_pixel"])
def test_numbers_that_cannot_be_are_as_none(cache, field, wrong):
    remember(Cost(bytes_per_pixel=5, seconds_per_pixel=5), SHA, CPU, "float32")
    (note,) = (cache / "costs").iterdir()
    note.write_text(json.dumps({"bytes_per_pixel": 5, "seconds_per_pixel": 5, field: wrong}))
    assert remembered(SHA, CPU, "float32") is None


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(cache):
    cache.write_text("a file where the folder should be")
    made = separator()
    made(torch.rand(3, 300, 420))
    assert made.cost.pixels >= 256**2
