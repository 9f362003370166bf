"""USI3D gives what an independent implementation gives."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from limpid import create_model
from limpid.blocks.munit import MultiScaleDiscriminator
from limpid.checkpoints import file

CASES = ["usi3d_mpi"]
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


def load_fill():
    spec = importlib.util.spec_from_file_location("golden_fill", GOLDEN / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden cases beside the checkout")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("new", [True, False])
def test_the_published_file_layout_gives_the_golden_layers(tmp_path, case, new):
    manifest = json.loads((GOLDEN / f"{case}.json").read_text())["state_dict"]
    filled = load_fill().fill_state_dict({name: torch.empty(shape) for name, shape in manifest.items()})
    content = {"best_result": np.float64(0.1)}
    for name, tensor in filled.items():
        part, _, key = name.partition(".")
        content.setdefault(part, {})[key] = tensor
    torch.save(content, tmp_path / "MPI.pt", _use_new_zipfile_serialization=new)
    checkpoint = file.read(tmp_path / "MPI.pt")
    network = file.build(checkpoint, source="MPI.pt")
    assert set(network.state_dict()) == set(manifest)
    expected = np.load(GOLDEN / f"{case}.npz")
    with torch.inference_mode():
        layers = network(torch.from_numpy(expected["input"]))
    for ours, theirs in (("albedo", "reflectance_raw"), ("shading", "shading_raw")):
        difference = np.abs(layers[ours].numpy() - expected[theirs]).max()
        assert difference <= 1e-4 * expected[theirs].std(), ours


@pytest.mark.parametrize(
    ("size", "training_parts", "count"),
    [("mpi", False, 21_973_790), ("mpi", True, 45_222_969), ("iiw", True, 45_560_009)],
)
def test_parameters_are_those_published(size, training_parts, count):
    with torch.device("meta"):
        network = create_model("usi3d", size, training_parts=training_parts)
        discriminator = MultiScaleDiscriminator()
    assert sum(parameter.numel() for parameter in network.parameters()) == count
    assert sum(parameter.numel() for parameter in discriminator.parameters()) == 8_271_171
