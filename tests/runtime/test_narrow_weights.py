"""Half the bytes for weights that float16 holds, and not one bit less in the answer."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from limpid.runtime.narrow_weights import narrowed


def model_of(weight):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, weight.shape[0]])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, weight.shape[1]])
    node = helper.make_node("MatMul", ["x", "weight"], ["y"])
    graph = helper.make_graph([node], "one", [value], [answer], [numpy_helper.from_array(weight, "weight")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def answer(model, photo):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": photo})[0]


@pytest.mark.parametrize(("what", "narrow"), [("halves", True), ("thirds", False), ("huge", False), ("few", False)])
def test_only_what_is_held_exactly_is_narrowed_and_the_answer_stays(what, narrow):
    draw = np.random.default_rng(0)
    weight = draw.normal(size=(8, 8) if what == "few" else (32, 32)).astype(np.float16).astype(np.float32)
    weight = {"thirds": weight / 3, "huge": weight + 1e6}.get(what, weight).astype(np.float32)
    plain, photo = model_of(weight), draw.normal(size=(1, weight.shape[0])).astype(np.float32)
    before, expected = len(plain.SerializeToString()), answer(plain, photo)
    made = narrowed(plain)
    onnx.checker.check_model(made)
    assert np.array_equal(answer(made, photo), expected)
    assert (len(made.SerializeToString()) < 0.6 * before) == narrow
