"""The ComfyUI node keeps ComfyUI's contract."""

import importlib.util

import pytest
import torch

from limpid.layers.task import TASKS
from limpid.runtime.separator import Separator
from network_samples import tiny
from scripts import ROOT


@pytest.fixture
def node(monkeypatch):
    path = ROOT / "integrations" / "comfyui_limpid" / "__init__.py"
    spec = importlib.util.spec_from_file_location("comfyui_limpid", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = Separator(tiny("limpid"), TASKS["reflection"], name="tiny", model="limpid")
    monkeypatch.setattr(module, "_separator", lambda model, device: made)
    return module


def test_names_and_types_are_those_that_comfyui_reads(node):
    (name,) = node.NODE_CLASS_MAPPINGS
    assert set(node.NODE_DISPLAY_NAME_MAPPINGS) == {name}
    kind = node.NODE_CLASS_MAPPINGS[name]
    asked = kind.INPUT_TYPES()
    assert set(asked) == {"required", "optional"}
    assert asked["required"]["image"] == ("IMAGE",)
    assert len(kind.RETURN_TYPES) == len(kind.RETURN_NAMES) == 2
    assert callable(getattr(kind, kind.FUNCTION))


@pytest.mark.parametrize("channels", [3, 4])
def test_a_batch_of_odd_pictures_comes_back_as_two(node, channels):
    pictures = torch.rand(2, 33, 47, channels)
    found = node.LimpidSeparate().separate(pictures, 0.5)
    assert [tuple(layer.shape) for layer in found] == [(2, 33, 47, 3)] * 2
    untouched, _ = node.LimpidSeparate().separate(pictures, 0.0)
    assert torch.allclose(untouched, pictures[..., :3], atol=1e-6)
