"""Restoration networks that are not ours run through spandrel, here a stand-in of it, and the library itself where it is."""

import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from limpid import load
from limpid.blocks._torchvision import mend
from limpid.errors import UsageError, WeightsError


class Descriptor:
    """What spandrel says of a network that makes photos darker by its one number."""

    def __init__(self, state, scale=1, channels=(3, 3), square=False):
        self.model = nn.Module()
        self.model.register_parameter("strange", nn.Parameter(state["strange"]))
        self.architecture = SimpleNamespace(name="Darkener")
        self.scale, (self.input_channels, self.output_channels) = scale, channels
        self.size_requirements = SimpleNamespace(multiple_of=4, minimum=8, square=square)
        self.tiling = SimpleNamespace(name="DISCOURAGED")

    def __call__(self, photo):
        assert photo.shape[1] == self.input_channels
        assert photo.shape[-2] % 4 == photo.shape[-1] % 4 == 0
        return (photo * self.model.strange).clamp(0, 1)


@pytest.fixture
def weights(tmp_path):
    torch.save({"params": {"strange": torch.tensor(0.5)}}, tmp_path / "dark.pth")
    return tmp_path / "dark.pth"


@pytest.fixture
def pretend(monkeypatch):
    """Install a stand-in whose loader answers with the given descriptor, or refuses."""

    def install(make):
        module = ModuleType("spandrel")
        module.UnsupportedModelError = type("UnsupportedModelError", (Exception,), {})
        module.ImageModelDescriptor = Descriptor

        def opened(self, state):
            if make is None:
                raise module.UnsupportedModelError
            return make(state)

        module.ModelLoader = type("ModelLoader", (), {"load_from_state_dict": opened})
        monkeypatch.setitem(sys.modules, "spandrel", module)

    return install


def test_without_spandrel_the_file_is_unknown_and_the_extra_is_named(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(WeightsError, match=r"is no network known here.*limpid\[spandrel\]"):
        load(weights)


def test_what_spandrel_opens_runs_on_photos_of_any_size(weights, pretend, capsys):
    pretend(Descriptor)
    separator = load(weights)
    assert "Darkener, opened by spandrel" in capsys.readouterr().err
    assert (separator.task.name, separator.model, separator.network.needs.multiple) == ("denoise", "spandrel", 4)
    photo = torch.rand(3, 13, 18)
    assert torch.allclose(separator(photo).restored, photo / 2)
    assert load(weights, task="deblur").task.name == "deblur"
    with pytest.raises(UsageError, match="not reflection"):
        load(weights, task="reflection")


def test_a_grey_network_sees_each_colour(weights, pretend):
    pretend(lambda state: Descriptor(state, channels=(1, 1)))
    photo = torch.rand(3, 16, 16)
    assert torch.allclose(load(weights)(photo).restored, photo / 2)


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"scale": 4}, "4 times as large"), ({"channels": (4, 3)}, "4 channels in"), ({"square": True}, "squares")],
)
def test_what_is_no_restoration_is_refused_with_a_word(weights, pretend, settings, word):
    pretend(lambda state: Descriptor(state, **settings))
    with pytest.raises(WeightsError, match=word):
        load(weights)


def test_what_spandrel_does_not_know_keeps_our_word(weights, pretend):
    pretend(None)
    with pytest.raises(WeightsError, match=r"is no network known here .*"):
        load(weights)


@pytest.mark.skipif(find_spec("spandrel") is None, reason="the extra spandrel is not installed")
def test_the_library_itself_opens_a_network(tmp_path):
    mend()  # beside a torchvision of another build the library cannot be imported without
    from spandrel.architectures.DnCNN import DnCNN

    torch.manual_seed(0)
    torch.save(DnCNN(in_nc=3, out_nc=3, nc=8, nb=17, act_mode="R").state_dict(), tmp_path / "dncnn.pth")
    layers = load(tmp_path / "dncnn.pth")(torch.rand(3, 20, 24))
    assert layers.restored.shape == (3, 20, 24)
