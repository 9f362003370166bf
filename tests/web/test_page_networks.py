"""Networks of the page: half as large, and the same to the last bit."""

import numpy as np
import pytest

from limpid.checkpoints.onnx_file import GATE
from limpid.web.page_networks import packed

onnx = pytest.importorskip("onnx")


def added(values):
    """A graph that adds a constant to its input."""
    from onnx import TensorProto, helper, numpy_helper

    photo, layer = (helper.make_tensor_value_info(name, TensorProto.FLOAT, list(values.shape)) for name in ("photo", "layer"))
    graph = helper.make_graph([helper.make_node("Add", ["photo", "w"], ["layer"])], "g", [photo], [layer])
    graph.initializer.append(numpy_helper.from_array(values, "w"))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize(("step", "smaller"), [(0.5, True), (1 / 3, False), (1e6, False)])
def test_weights_take_half_the_room_where_nothing_is_lost(step, smaller):
    runtime = pytest.importorskip("onnxruntime")
    values = np.arange(2000, dtype=np.float32) * np.float32(step)
    content = added(values).SerializeToString()
    small = packed(content)
    assert (len(small) < 0.6 * len(content)) == smaller
    (found,) = runtime.InferenceSession(small).run(None, {"photo": np.zeros(2000, np.float32)})
    assert np.array_equal(found, values)


def test_a_gate_is_not_loaded_twice():
    model = added(np.zeros(4, np.float32))
    model.metadata_props.add(key="limpid", value="{}")
    model.metadata_props.add(key=GATE, value="A" * 10_000)
    kept = onnx.load_model_from_string(packed(model.SerializeToString()))
    assert [entry.key for entry in kept.metadata_props] == ["limpid"]
