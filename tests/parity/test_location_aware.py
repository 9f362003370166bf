"""Location-aware reflection removal gives what an independent implementation gives, turn by turn."""

import pytest
import torch

import golden_cases as golden
from limpid import create_model
from limpid.checkpoints.convert.location_aware import LocationAwareConverter
from limpid.models.location_aware import LocationAware

CASES = ["location_aware"]


@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    case, converter = golden.case(name), LocationAwareConverter()
    network = LocationAware(**converter.recognise(case.shapes))
    network.load_state_dict(converter.convert(case.tensors), strict=True)
    before_relu = []
    network.output[0].register_forward_hook(lambda module, entered, left: before_relu.append(left.clone()))
    with torch.inference_mode():
        found = network.train()(case.arrays["input"])
    steps = {**found.steps, "quarter_3": found.steps["transmission_quarter"], "half_3": found.steps["transmission_half"]}
    steps |= {f"transmission_{turn}_before_relu": left for turn, left in enumerate(before_relu, 1)}
    steps |= {f"confidence_{turn}": steps[f"confidence_{turn}"][:, :1] for turn in (1, 2, 3)}
    compared = [key for key in case.arrays if key != "input"]
    assert len(compared) >= 8
    for key in compared:
        expected = case.arrays[key]
        assert float((steps[key] - expected).square().mean().sqrt()) < 1e-4 * float(expected.std()), key
    assert torch.equal(found.transmission, before_relu[-1].relu())


def test_published_parameter_count():
    with torch.device("meta"):
        network = create_model("location_aware")
    assert sum(parameter.numel() for parameter in network.parameters()) == 10_925_719
    assert len(network.state_dict()) == 169
