"""USI3D gives what an independent implementation gives."""

import numpy as np
import pytest
import torch

import golden_cases as golden
from limpid import create_model
from limpid.blocks.munit import MultiScaleDiscriminator
from limpid.checkpoints import file

CASES = ["usi3d_mpi"]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("new", [True, False])
def test_the_published_file_layout_gives_the_golden_layers(tmp_path, name, new):
    case, content = golden.case(name), {"best_result": np.float64(0.1)}
    for entry, tensor in case.tensors.items():
        part, _, key = entry.partition(".")
        content.setdefault(part, {})[key] = tensor
    torch.save(content, tmp_path / "MPI.pt", _use_new_zipfile_serialization=new)
    network = file.build(file.read(tmp_path / "MPI.pt"), source="MPI.pt")
    assert set(network.state_dict()) == set(case.shapes)
    with torch.inference_mode():
        layers = network(case.arrays["input"])
    for ours, theirs in (("albedo", "reflectance_raw"), ("shading", "shading_raw")):
        expected = case.arrays[theirs]
        assert float((layers[ours] - expected).abs().max()) <= 1e-4 * float(expected.std()), ours


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
