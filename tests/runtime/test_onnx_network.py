"""An exported file is a model like any other."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from exported import checkpoint
from limpid.checkpoints.inspect import inspect
from limpid.checkpoints.onnx_file import read_onnx
from limpid.errors import DeviceError, UnknownNameError, UsageError, WeightsError
from limpid.runtime.export import export
from limpid.runtime.load import load
from limpid.runtime.options import ExportOptions


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A network as a checkpoint, and the same as a graph of one size."""
    folder = tmp_path_factory.mktemp("pair")
    weights = checkpoint("stacked", folder)
    out = folder / "stacked.onnx"
    export(ExportOptions(model=str(weights), output=out))
    return weights, out


def model(inputs, outputs, domain=""):
    """A graph that copies its first input to every output."""
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (inputs | outputs).items()}
    nodes = [helper.make_node("Identity", [next(iter(inputs))], [name], domain=domain) for name in outputs]
    graph = helper.make_graph(nodes, "g", [values[name] for name in inputs], [values[name] for name in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_it_separates_as_its_weights_do(pair):
    weights, graph = pair
    photo = torch.rand(3, 83, 71)
    wanted, found = load(weights, precision="float32")(photo), load(graph)(photo)
    assert list(found) == list(wanted)
    for layer in wanted:
        assert torch.allclose(found[layer], wanted[layer], atol=1e-5)


def test_tiles_have_one_shape_and_do_not_show(pair):
    separator = load(pair[1])
    shapes, run = set(), separator.network._session.run

    def watched(names, feeds):
        shapes.add(next(iter(feeds.values())).shape)
        return run(names, feeds)

    photo = torch.rand(3, 333, 417)
    whole = separator(photo, tile="off")
    separator.cost  # noqa: B018 -- tried on a square of its own size
    separator.network._session = type("Watched", (), {"run": staticmethod(watched)})
    tiled = separator(photo, tile="208")
    assert len(shapes) == 1
    assert torch.allclose(whole.restored, tiled.restored, atol=1e-5)


def test_inspect_says_what_it_is(pair):
    about = inspect(pair[1])
    assert (about.model, about.tasks[0], about.layers) == ("stacked", "denoise", ("restored",))
    assert about.parameters == inspect(pair[0]).parameters
    assert about.notes["takes"] == "any size"


def test_a_file_of_the_first_work_runs(tmp_path):
    made = model({"input": (1, 3, 64, 96)}, {"transmission": (1, 3, 64, 96), "reflection": (1, 3, 64, 96)})
    onnx.save(made, tmp_path / "theirs.onnx")
    layers = load(tmp_path / "theirs.onnx")(torch.full((3, 100, 200), 0.5))
    assert layers.transmission.shape == (3, 100, 200)
    assert torch.allclose(layers.transmission, torch.tensor(0.5))
    assert "by its inputs and outputs" in inspect(tmp_path / "theirs.onnx").source


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no graph"),
        (b"\x00\xff" * 100, "damaged or no ONNX file"),
        (model({"x": (1, 10)}, {"y": (1, 10)}).SerializeToString(), "no network of layers"),
        (model({"a": (1, 3, 8, 8), "b": (1, 3, 8, 8)}, {"transmission": None, "reflection": None}).SerializeToString(), "fed by"),
        (model({"x": (1, 3, 8, 8)}, {"y": (1, 3, 8, 8)}, domain="evil").SerializeToString(), "operator 'Identity' of 'evil'"),
    ],
)
def test_corrupt_and_foreign_files_are_refused_in_one_line(content, says, tmp_path):
    path = tmp_path / "odd.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=says) as refused:
        load(path)
    assert "\n" not in str(refused.value)


def test_weights_elsewhere_and_broken_numbers_are_refused(pair, tmp_path):
    made = onnx.load(pair[1])
    tensor = made.graph.initializer[0]
    broken = np.full(tuple(tensor.dims), np.nan, dtype=np.float32)
    tensor.CopyFrom(onnx.numpy_helper.from_array(broken, tensor.name))
    onnx.save(made, tmp_path / "nan.onnx")
    with pytest.raises(WeightsError, match="NaN"):
        read_onnx(tmp_path / "nan.onnx")
    tensor.external_data.add(key="location", value="/etc/passwd")
    onnx.save_model(made, tmp_path / "elsewhere.onnx")
    with pytest.raises(WeightsError, match="in other files"):
        read_onnx(tmp_path / "elsewhere.onnx")


def test_providers_are_known_by_name(pair):
    with pytest.raises(UnknownNameError, match="did you mean 'openvino'"):
        load(pair[1], provider="openvno")
    with pytest.raises(DeviceError, match="onnxruntime-directml"):
        load(pair[1], provider="directml")


def test_an_onnx_file_is_neither_exported_nor_converted(pair, tmp_path):
    with pytest.raises(UsageError, match="ONNX file already"):
        export(ExportOptions(model=str(pair[1]), output=tmp_path / "out.onnx"))
