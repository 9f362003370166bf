"""The gate travels inside the ONNX file: a photo is judged, and left alone, as PyTorch judges it."""

import pickle
from dataclasses import replace

import onnx
import pytest
import torch

from exported import checkpoint
from limpid.checkpoints.onnx_file import GATE, read_onnx
from limpid.errors import WeightsError
from limpid.runtime.export import export
from limpid.runtime.load import load
from limpid.runtime.onnx_network import OnnxNetwork
from limpid.runtime.options import ExportOptions

LIMITS = {
    "local_confidence": (1e-4, 2e-4),
    "whole_confidence": (1e-4, 2e-4),
    "presence_limits": (0.2, 0.8),
    "reduced_presence_limits": (0.3, 0.9),
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Weights with a gate, and the graph that was made of them."""
    folder = tmp_path_factory.mktemp("gated")
    weights, out = checkpoint("limpid", folder, gate=True, **LIMITS), folder / "gated.onnx"
    export(ExportOptions(model=str(weights), output=out))
    return weights, out


@pytest.mark.parametrize("size", [(20, 45), (61, 83), (300, 700)])
def test_it_judges_as_pytorch(pair, size):
    photo = torch.rand(3, *size, generator=torch.Generator().manual_seed(size[0]))
    wanted, found = load(pair[0], "cpu", "float32")(photo), load(pair[1])(photo)
    assert 0 < found.confidence < 1
    assert found.confidence == pytest.approx(wanted.confidence, abs=1e-4)
    for layer in wanted:
        torch.testing.assert_close(found[layer], wanted[layer], atol=1e-4, rtol=0)


def test_the_file_holds_all_limits(pair):
    about = read_onnx(pair[1]).about
    assert {name: getattr(about, name) for name in LIMITS} == LIMITS
    assert about.preview == 640


def test_it_goes_to_other_processes_and_judges_batches(pair):
    network = pickle.loads(pickle.dumps(OnnxNetwork(read_onnx(pair[1]))))
    photos = torch.rand(2, 3, 64, 80)
    together = network.presence(photos, network(photos))
    alone = [network.presence(photo[None], network(photo[None])) for photo in photos]
    torch.testing.assert_close(together, torch.cat(alone))


def test_a_file_without_the_gate_that_it_promises_is_refused(pair, tmp_path):
    model = onnx.load(pair[1])
    (held,) = [entry for entry in model.metadata_props if entry.key == GATE]
    for broken in ("", "no base64", held.value[:4000]):
        held.value = broken
        onnx.save(model, tmp_path / "broken.onnx")
        with pytest.raises(WeightsError, match="holds none that can be read"):
            read_onnx(tmp_path / "broken.onnx")


def test_networks_without_a_gate_have_none(pair):
    assert OnnxNetwork(replace(read_onnx(pair[1]), gate=None)).presence(torch.rand(1, 3, 64, 64), None) is None
