"""DSRNet and its Mamba variants give what independent implementations give."""

import pytest
import torch

import golden_cases as golden
from golden.fill import fill_state_dict
from limpid import catalogue
from limpid.checkpoints.convert.dsrnet import DSRNetConverter

CASES = ["dsrnet_s", "dsrnet_l", "mdsrnet_l"]


@pytest.mark.parametrize("name", CASES)
def test_layers_agree_with_the_golden_case(name):
    case, converter = golden.case(name), DSRNetConverter()
    with torch.device("meta"):
        network = catalogue.find("models", "dsrnet").build(**converter.recognise(case.shapes)).eval()
    network.load_state_dict(converter.convert(case.tensors), strict=True, assign=True)
    backbone = {key: torch.zeros(value.shape) for key, value in network.backbone.state_dict().items()}
    network.backbone.load_state_dict(fill_state_dict(backbone), strict=True, assign=True)
    with torch.inference_mode():
        layers = network(case.arrays["input"])
    for layer in ("transmission", "reflection", "residual"):
        expected = case.arrays[layer]
        difference, scale = (layers[layer] - expected).double(), float(expected.std())
        assert float(difference.square().mean().sqrt()) < 1e-3 * scale, layer
        if layer != "residual":  # its tanh of values in the thousands turns the last bits of a few pixels into per cents
            assert float(difference.abs().max()) < 1e-3 * scale, layer
