"""The networks of the page without a server: what the page must know of each, and their files, made smaller without loss."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from limpid.checkpoints.onnx_file import GATE, OnnxFile, read_onnx
from limpid.errors import WeightsError
from limpid.layers.task import find_task

_FACTS = {
    "multiple",
    "minimum",
    "size",
    "whole_confidence",
    "local_confidence",
    "presence_limits",
    "reduced_presence_limits",
    "preview",
}
_WORTHWHILE = 1024  # numbers of a tensor


def network_row(path: Path) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
    """What the page needs to know of a network, from what its file says, and name → content of the files that it loads.

    Raises WeightsError for files that do not run in a browser.
    """
    found = read_onnx(path)
    if not found.ours:
        raise WeightsError(f"{path} is no file of `limpid export`; make it with `limpid export MODEL {path.name}`")
    about = found.about
    if about.noise or about.graph != "full" or about.answer_range != "unit":
        raise WeightsError(f"{path.name} needs more than its graph to run; this page runs networks that are whole in their file")
    task = find_task(about.tasks[0])
    files = _files(found)
    return {
        "label": path.stem,
        "file": path.name,
        "gate": next((name for name in files if name != path.name), None),
        "task": task.name,
        "layers": [name for name in about.layers if name in task.layers],
        "rebuilds": task.rebuilds,
        **about.model_dump(include=_FACTS),
    }, files


def _files(found: OnnxFile) -> dict[str, bytes]:
    """The graph of the network and, where it has one, that of its gate, which need not be loaded twice."""
    files = {found.path.name: packed(found.content)}
    if found.gate is not None:
        files[f"{found.path.stem}.gate.onnx"] = packed(found.gate)
    return files


def packed(content: bytes) -> bytes:
    """The same model with weights that 16 bits hold exactly in 16 bits, and without a second graph inside.

    Runtimes turn them back into 32 bits when they open the file: it is half as large and answers alike, to the last bit.
    """
    import onnx
    from onnx import TensorProto, helper
    from onnx.numpy_helper import from_array, to_array

    model = onnx.load_model_from_string(content)
    kept = [entry for entry in model.metadata_props if entry.key != GATE]
    large = [tensor for tensor in model.graph.initializer if np.prod(tensor.dims) >= _WORTHWHILE]
    halves = [tensor for tensor in large if tensor.data_type == TensorProto.FLOAT and _fits(to_array(tensor))]
    if not halves and len(kept) == len(model.metadata_props):
        return content
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    casts = []
    for tensor in halves:
        name, small = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(from_array(to_array(tensor).astype(np.float16), small))
        casts.append(helper.make_node("Cast", [small], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    whole: bytes = model.SerializeToString()
    return whole


def _fits(values: "np.ndarray[Any, Any]") -> bool:
    """Whether 16 bits lose nothing of them."""
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values.astype(np.float16).astype(np.float32), values))
