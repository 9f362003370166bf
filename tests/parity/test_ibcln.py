"""IBCLN gives what an independent implementation gives, step by step."""

import pytest
import torch

import golden_cases as golden
from limpid import create_model
from limpid.checkpoints.convert.ibcln import IbclnConverter
from limpid.models.ibcln import Ibcln

CASES = ["ibcln"]


@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    case, reader = golden.case(name), IbclnConverter()
    network = Ibcln(**reader.recognise(case.shapes)).eval()
    network.load_state_dict(reader.convert(case.tensors), strict=True)
    with torch.inference_mode():
        layers = network(case.arrays["input"])
    compared = {key: layers.layer(key) for key in case.arrays if key != "input"}
    assert len(compared) == 6
    for key, layer in compared.items():
        assert float((layer - case.arrays[key]).abs().max()) < 1e-4, key
    assert torch.equal(layers.transmission, layers.steps["transmission_3"])
    assert torch.equal(layers.reflection, layers.steps["reflection_3"])


def test_published_parameter_count():
    with torch.device("meta"):
        network = create_model("ibcln")
    assert sum(parameter.numel() for parameter in network.G_T.parameters()) == 10_804_169
    assert sum(parameter.numel() for parameter in network.G_R.parameters()) == 10_804_169
    assert len(network.G_T.state_dict()) == 46
