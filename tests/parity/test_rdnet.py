"""RDNet and its rate network give what independent implementations give; both layouts of its files open."""

import pytest
import torch

import golden_cases as golden
from limpid import create_model
from limpid.checkpoints import file
from limpid.checkpoints.convert.rdnet import RdnetConverter
from limpid.models._rates import RateNetwork
from limpid.models.rdnet import Rdnet
from network_samples import tiny

CASES = ["rdnet"]
UNUSED = 1_851_568 + 4_992  # decoders and a stem that the published file holds


def apart(found, expected):
    """Root mean square of the difference, in deviations of what is expected."""
    return float((found - expected).double().square().mean().sqrt() / expected.double().std())


def test_the_rate_network_gives_six_numbers():
    case = golden.case("parts/rdnet_classifier")
    with torch.device("meta"):
        network = RateNetwork()
    network.load_state_dict(case.tensors, strict=True, assign=True)
    with torch.inference_mode():
        assert apart(network(case.arrays["input"])["rates"], case.arrays["output"]) < 1e-4


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)  # hundreds of millions of weights are filled in
@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    case, converter = golden.case(name), RdnetConverter()
    with torch.device("meta"):
        network = Rdnet(**converter.recognise(case.shapes), drop=0.0)
    network.load_state_dict(converter.convert(case.tensors), strict=True, assign=True)
    network.classifier.stages = lambda photo: iter([("rates", case.arrays["prompt_input"])])
    with torch.inference_mode():
        layers = network.train()(case.arrays["input"])
    for layer in ("transmission", "reflection"):
        assert apart(layers.steps[f"{layer}_1"], case.arrays[f"{layer}_1"]) < 1e-4
        assert apart(layers[layer], case.arrays[f"{layer}_4"]) < 2e-3


def test_counts_are_the_published_ones():
    with torch.device("meta"):
        network = create_model("rdnet")
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    assert count["baseball"] == 205_746_936
    assert count["classifier"] == 49_459_302
    assert sum(count.values()) == 314_030_778
    assert sum(count.values()) - count["classifier"] + UNUSED == 266_428_036


def renamed(key):
    """XReflection's name of a key of ours."""
    key = key.replace(".attention.", ".sca.")
    return key.replace("projback_2.", "projback_shit_2.").replace("projback_.", "projback_shit.")


def test_a_file_of_xreflection_has_the_transmission_first(tmp_path):
    network = tiny("rdnet").eval()
    torch.save({"state_dict": {f"net_g.{renamed(key)}": value for key, value in network.state_dict().items()}}, tmp_path / "x.ckpt")
    found = file.read(tmp_path / "x.ckpt")
    assert (found.model, found.settings["transmission_first"]) == ("rdnet", True)
    again, photo = file.build(found, source="x.ckpt"), torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        ours, theirs = network(photo), again(photo)
    assert torch.equal(ours.reflection, theirs.transmission)
    assert torch.equal(ours.transmission, theirs.reflection)


def test_a_file_without_the_rate_network_asks_for_it(tmp_path):
    network = tiny("rdnet")
    original = {key.replace(".attention.", ".sca."): value for key, value in network.state_dict().items()}
    main = {
        key.replace("decoder_blocks.", "decoder_blocks.2."): value for key, value in original.items() if "classifier" not in key
    }
    unused = {"stem_comp.0.weight": torch.ones(4, 3, 5, 5), "decoder_blocks.0.projback_.0.bias": torch.ones(12)}
    torch.save({"icnn": main | unused, "epoch": 20}, tmp_path / "rdnet.pth")
    found = file.read(tmp_path / "rdnet.pth")
    assert not any(key.startswith("classifier.") for key in found.tensors)
    assert found.settings["widths"] == (4, 8, 16, 32)


def test_scales_of_a_column_keep_a_magnitude():
    network = tiny("rdnet").eval()
    photo = torch.rand(1, 3, 32, 32)
    answers = []
    with torch.inference_mode():
        for scale in (1e-7, 1e-3, -1e-3):
            network.subnet0.alpha0.fill_(scale)
            answers.append(network(photo).transmission)
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[1], answers[2])
