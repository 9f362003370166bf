"""DSIT gives what an independent implementation gives."""

import pytest
import torch

import golden_cases as golden
from limpid import create_model
from limpid.blocks.windows import WindowAttention, from_windows, to_windows
from limpid.checkpoints import file
from limpid.checkpoints.convert.dsit import DsitConverter
from limpid.models.dsit import Dsit
from network_samples import tiny

CASES = ["dsit"]
NEVER_APPLIED = 2 * (384 + 768 + 1536)  # norms of the Swin's stages, in the file


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)  # hundreds of millions of weights are filled in
@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    case, converter = golden.case(name), DsitConverter()
    with torch.device("meta"):
        network = Dsit(**converter.recognise(case.shapes)).eval()
    network.load_state_dict(converter.convert(case.tensors), strict=True, assign=True)
    found = {}
    network.lrm.register_forward_hook(lambda module, entered, left: found.update(residual_before_tanh=left))
    with torch.inference_mode():
        found |= network(case.arrays["input"])
    assert torch.equal(found["residual"], found["residual_before_tanh"].tanh())  # which saturates with these weights
    for key in ("transmission", "reflection", "residual_before_tanh"):
        expected = case.arrays[key]
        assert float((found[key] - expected).square().mean().sqrt()) < 1e-4 * float(expected.std()), key


def test_published_parameter_counts():
    with torch.device("meta"):
        network = create_model("dsit")
    counts = {name: sum(value.numel() for value in part.parameters()) for name, part in network.named_children()}
    assert counts["swin_prior"] + NEVER_APPLIED == 195_200_820
    assert sum(value.numel() for value in network.parameters() if value.requires_grad) == 131_762_862
    assert (counts["conv_prior"], counts["lib4"], counts["lib0"]) == (17_390_112, 86_091_264, 98_696)


def test_a_file_of_the_authors_opens(tmp_path):
    network = tiny("dsit")
    unused = {"swin_prior.norm1.weight": torch.ones(8), "lib0.0.dsia_sa.relative_position_index": torch.zeros(16, 16).long()}
    content = {
        "weights": network.state_dict() | unused,
        "epoch": 20,
        "iterations": 5,
        "optimizer": {"state": {}, "param_groups": []},
    }
    torch.save(content, tmp_path / "dsit.pth")
    found = file.read(tmp_path / "dsit.pth")
    assert (found.model, found.settings["window"], found.settings["swin_heads"]) == ("dsit", 4, (1, 1, 2, 2))
    assert set(found.tensors) == set(network.state_dict())


def test_windows_come_back_where_they_were():
    tokens = torch.rand(2, 7, 10, 3)
    assert torch.equal(from_windows(to_windows(tokens, 4), 4, (7, 10)), tokens)


def test_windows_in_groups_give_what_all_at_once_give():
    torch.manual_seed(0)
    attention = WindowAttention(8, 2, 3)
    attention.relative_position_bias_table.data.normal_()
    tokens, mask = torch.rand(600, 9, 8), torch.rand(200, 9, 9)
    together = attention(tokens, mask)
    with torch.inference_mode():
        assert torch.allclose(attention(tokens, mask), together, atol=1e-6)
