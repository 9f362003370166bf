"""RAGNet gives what an independent implementation gives, colours in the order of its authors."""

import pytest
import torch

import golden_cases as golden
from limpid import create_model
from limpid.checkpoints import file
from limpid.checkpoints.convert.ragnet import RagnetConverter
from limpid.models.ragnet import Ragnet
from network_samples import tiny

CASES = ["ragnet"]
UNUSED = 4 * (512 * 512 * 9 + 512)  # the last level of the reflection's trunk, in the file


@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    case, converter = golden.case(name), RagnetConverter()
    with torch.device("meta"):
        network = Ragnet(**converter.recognise(case.shapes)).eval()
    network.load_state_dict(converter.convert(case.tensors), strict=True, assign=True)
    with torch.inference_mode():
        layers = network(case.arrays["input"].flip(1))
    for layer in ("reflection", "transmission"):
        expected = case.arrays[layer].flip(1)
        assert float((layers[layer] - expected).square().mean().sqrt()) < 1e-4 * float(expected.std()), layer


def test_published_parameter_counts():
    with torch.device("meta"):
        network = create_model("ragnet")
    counts = [
        (sum(value.numel() for value in part.parameters()), len(part.state_dict())) for part in (network.GR_state, network.GT_state)
    ]
    assert counts == [(60_731_715, 90), (85_981_379 - UNUSED, 134 - 8)]


def test_a_file_of_two_state_dicts_opens(tmp_path):
    network = tiny("ragnet")
    content = {part: network.get_submodule(part).state_dict() for part in ("GT_state", "GR_state")}
    torch.save({**content, "epoch": 150, "global_step": 1}, tmp_path / "pretrain.pth")
    found = file.read(tmp_path / "pretrain.pth")
    assert (found.model, found.settings) == ("ragnet", {"shrink": 16})


@pytest.mark.parametrize("size", [(16, 16), (37, 50)])
def test_odd_sides_are_filled_with_zeros(size):
    network = tiny("ragnet").eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 3, *size)).transmission.shape == (1, 3, *size)
