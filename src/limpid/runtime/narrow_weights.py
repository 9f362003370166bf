"""Weights of a graph in half their bytes where nothing is lost by it: those of files in float16, ours among them."""

from typing import Any

import numpy as np

_LEAST = 256  # values; of fewer nothing is saved


def narrowed(model: Any) -> Any:
    """The ``onnx.ModelProto`` with each float32 weight that float16 holds exactly kept as that, and a cast before its use.

    Runtimes do the casts once, when they open a graph, so that it answers to the bit as before. Returns the same model, changed.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if values.size < _LEAST or not np.array_equal(half.astype(np.float32), values):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
