"""DSRNet and its Mamba variants give what independent implementations give."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from limpid import catalogue
from limpid.checkpoints.convert.dsrnet import DSRNetConverter

CASES = ["dsrnet_s", "dsrnet_l", "mdsrnet_l"]
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


def load_fill():
    spec = importlib.util.spec_from_file_location("golden_fill", GOLDEN / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def filled(shapes, fill, prefix=""):
    return fill.fill_state_dict({name: torch.empty(tuple(shape)) for name, shape in shapes.items()}, prefix)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden cases beside the checkout")
@pytest.mark.parametrize("case", CASES)
def test_layers_agree_with_the_golden_case(case):
    fill, converter = load_fill(), DSRNetConverter()
    shapes = {name: tuple(shape) for name, shape in json.loads((GOLDEN / f"{case}.json").read_text())["state_dict"].items()}
    settings = converter.recognise(shapes)
    with torch.device("meta"):
        network = catalogue.find("models", "dsrnet").build(**settings).eval()
    network.load_state_dict(converter.convert(filled(shapes, fill)), strict=True, assign=True)
    stack = {name: tuple(value.shape) for name, value in network.backbone.state_dict().items()}
    network.backbone.load_state_dict(filled(stack, fill), strict=True, assign=True)
    expected = np.load(GOLDEN / f"{case}.npz")
    with torch.inference_mode():
        layers = network(torch.from_numpy(expected["input"]))
    for name in ("transmission", "reflection", "residual"):
        difference, scale = (layers[name] - torch.from_numpy(expected[name])).double(), expected[name].std()
        assert float(difference.square().mean().sqrt()) < 1e-3 * scale, name
        if name != "residual":  # its tanh of values in the thousands turns the last bits of a few pixels into per cents
            assert float(difference.abs().max()) < 1e-3 * scale, name
