"""YTMT in its released and its refactored layout gives what an independent implementation gives."""

import pytest
import torch

import golden_cases as golden
from golden.fill import fill_state_dict
from limpid import create_model
from limpid.blocks.hypercolumn import fold_neighbours
from limpid.checkpoints import file
from limpid.checkpoints.convert.ytmt import YtmtConverter
from limpid.models.ytmt import Ytmt

CASES = ["ytmt_ucs", "ytmt_uct"]
UNUSED = 2 * (1475 * 2950 + 1475)  # a convolution of each stream that the released files hold


@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    case, converter = golden.case(name), YtmtConverter()
    with torch.device("meta"):
        network = Ytmt(**converter.recognise(case.shapes)).eval()
    network.load_state_dict(converter.convert(case.tensors), strict=True, assign=True)
    backbone = {key: torch.zeros(value.shape) for key, value in network.backbone.state_dict().items()}
    network.backbone.load_state_dict(fill_state_dict(backbone), strict=True, assign=True)
    with torch.inference_mode():
        layers = network(case.arrays["input"])
    compared = [key for key in case.arrays if key != "input"]
    assert len(compared) in (2, 4)
    for key in compared:
        expected = case.arrays[key]
        assert float((layers.layer(key) - expected).square().mean().sqrt()) < 1e-4 * float(expected.std()), key


COUNTS = [("uct", 2 * 38_448_530 - 2 * UNUSED), ("ucs_public", 38_448_530 - UNUSED), ("ucs", 19_981_574), ("uas", 17_175_942)]


@pytest.mark.parametrize(("size", "count"), COUNTS)
def test_counts_are_the_published_ones_and_every_size_is_recognised(size, count):
    with torch.device("meta"):
        network = create_model("ytmt", size)
    counted = {name: parameter for name, parameter in network.named_parameters() if not name.startswith("backbone.")}
    assert sum(parameter.numel() for parameter in counted.values()) == count
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    settings = YtmtConverter().recognise(shapes)
    assert Ytmt.__init__.__kwdefaults__ | dict(settings) == settings
    with torch.device("meta"):
        assert {key: tuple(value.shape) for key, value in Ytmt(**settings).state_dict().items()} == shapes


def test_a_file_of_two_stages_opens_whole(tmp_path):
    network = create_model("ytmt", "tiny")
    stages = {
        stage: {key.removeprefix(f"{stage}."): value for key, value in network.state_dict().items() if key.startswith(f"{stage}.")}
        for stage in ("icnn", "icnn2")
    }
    torch.save({**stages, "epoch": 68, "iterations": 595364}, tmp_path / "ytmt.pt")
    both = file.read(tmp_path / "ytmt.pt")
    torch.save({"icnn": stages["icnn"], "epoch": 3}, tmp_path / "one.pt")
    one = file.read(tmp_path / "one.pt")
    assert (both.model, both.settings["stages"], one.model, one.settings["stages"]) == ("ytmt", 2, "ytmt", 1)
    file.build(both, source="ytmt.pt")


@pytest.mark.parametrize("size", [(16, 16), (37, 50)])
@pytest.mark.parametrize("wants_gradient", [False, True])
def test_the_first_convolution_without_the_hypercolumn_is_that_with_it(size, wants_gradient):
    photo, weight, bias = (torch.rand(shape, dtype=torch.float64) for shape in ((2, 3, *size), (4, 12, 3, 3), (4,)))
    maps = {"a": torch.rand(2, 4, *size), "b": torch.rand(2, 5, size[0] // 2, size[1] // 2)}
    maps = {name: value.double() for name, value in maps.items()}
    stacked = [photo, *(torch.nn.functional.interpolate(value, size, mode="bilinear") for value in maps.values())]
    expected = torch.nn.functional.conv2d(torch.cat(stacked, 1), weight, bias, padding=1)
    with torch.set_grad_enabled(wants_gradient):
        assert torch.allclose(fold_neighbours(maps.items(), photo, weight, bias), expected, atol=1e-12)
