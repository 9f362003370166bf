"""The networks of the page without a server: what the page must know of each, and their files, made smaller without loss."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limpid.checkpoints.onnx_file import GATE, OnnxFile, read_onnx
from limpid.errors import WeightsError
from limpid.layers.task import find_task
from limpid.runtime.narrow_weights import narrowed

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
    """The same model ``narrowed``, which answers alike to the last bit, and without a second graph inside."""
    import onnx

    model = narrowed(onnx.load_model_from_string(content))
    kept = [entry for entry in model.metadata_props if entry.key != GATE]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    whole: bytes = model.SerializeToString()
    return whole
