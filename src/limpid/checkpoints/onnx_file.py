"""ONNX files: what ours say of themselves inside the file, and which foreign ones run here.

A file holds everything that the runtime needs: which network it was, its layers, the sizes that it takes, how far it looks, when it
is believed. Files of PINTO0309/reflection-removal say nothing and are known by their inputs and outputs.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from limpid.errors import MissingExtraError, WeightsError
from limpid.layers.network import Limits, Resize, Tiling

KEY = "limpid"
"""Key of the file's metadata under which ours describe themselves, as JSON."""

GATE = "limpid.gate"
"""Key of the gate, where the network has one: an ONNX file of its own, as base64."""

EXTRA = "onnx"
SUFFIX = ".onnx"

Range = Literal["unit", "stretch", "half"]
"""What brings an answer to 0…1: nothing, its smallest and largest value, or (v + 1) / 2."""

_LARGEST = 2**31 - 1  # bytes; a protobuf holds no more
_DOMAINS = ("", "ai.onnx", "com.microsoft")  # of operators: ONNX's own and those of ONNX Runtime
_FIRST_WORK = ("transmission", "reflection")


class OnnxAbout(BaseModel):
    """What a file says of itself; see ``Needs`` and ``LayerNetwork`` for what the fields mean.

    ``graph``: the whole network, or its head alone, which is fed the maps of a backbone, named by ``taps``. ``size``: height and
    width of a graph of one size, pixels, None for any; ``head``: those of its answer where they are others; ``batch``: photos at
    once. ``answer_range``: see ``Range``. ``noise``: strengths of the deconvolutions whose results the graph is fed beside the
    photo; none for other networks. ``preview``: longest side, pixels, at which whole photos are judged. ``bytes_per_pixel``:
    measured memory of a forward. ``precision``: what the graph computes in. ``weights_sha256``: of the file that was exported.
    """

    model_config = ConfigDict(frozen=True)
    model: str
    settings: dict[str, Any] = {}
    tasks: tuple[str, ...]
    layers: tuple[str, ...]
    graph: Literal["full", "head"] = "full"
    taps: tuple[str, ...] = ()
    multiple: int = 1
    minimum: int = 1
    pads_to: tuple[int, Literal["constant", "replicate"]] | None = None
    phase: int | None = None
    tiling: Tiling = "harmless"
    resize: Resize | None = None
    radius: int | None = None
    local_confidence: Limits | None = None
    whole_confidence: Limits | None = None
    presence_limits: Limits | None = None
    reduced_presence_limits: Limits | None = None
    preview: int | None = None
    answer_range: Range = "unit"
    size: tuple[int, int] | None = None
    head: tuple[int, int] | None = None
    batch: int = 1
    noise: tuple[float, ...] = ()
    bytes_per_pixel: float = 8000.0
    precision: str = "float32"
    weights_sha256: str | None = None
    version: str = ""
    source: str = ""
    licence: str = ""
    trained_on: str = ""


@dataclass(frozen=True, kw_only=True)
class OnnxFile:
    """One file: its bytes, what it says or is known to be, names of inputs, parameters and their kinds of numbers.

    ``gate``: the bytes of the graph (mirrored photo, photo, both layers → ``presence``) that judges whole photos, None for networks
    without one.
    """

    path: Path
    content: bytes
    about: OnnxAbout
    inputs: tuple[str, ...]
    parameters: int
    kinds: tuple[str, ...]
    ours: bool
    gate: bytes | None = None


def describe(model: Any, about: OnnxAbout, gate: Any = None) -> None:
    """Let an ONNX model (``onnx.ModelProto``) say what it is, in place of what it said before, and hold its ``gate``, if any."""
    kept = [entry for entry in model.metadata_props if entry.key not in (KEY, GATE)]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=KEY, value=about.model_dump_json())
    if gate is not None:
        model.metadata_props.add(key=GATE, value=base64.b64encode(gate.SerializeToString()).decode())
    model.producer_name, model.producer_version = "limpid", about.version


def read_onnx(path: Path) -> OnnxFile:
    """Read and check a file; nothing in it is run.

    Raises MissingExtraError without the library onnx, and WeightsError, in one line, for a file that is missing, damaged, has its
    weights elsewhere, asks for operators of somebody's own, or is no network of layers.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file")
    if path.stat().st_size > _LARGEST:
        raise WeightsError(f"{path} has {path.stat().st_size} bytes; an ONNX file has fewer than 2 GiB")
    content = path.read_bytes()
    model = _parsed(path, content)
    _refuse(path, model)
    inputs = {value.name: _shape(value) for value in model.graph.input}
    outputs = {value.name: _shape(value) for value in model.graph.output}
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    said = metadata.get(KEY)
    about = _first_work(path, inputs, outputs) if said is None else _ours(path, said, outputs)
    weights = list(_weights(path, model))
    gate = _gate(path, metadata.get(GATE)) if about.presence_limits is not None else None
    if gate is not None:
        weights += _weights(path, gate)
    return OnnxFile(
        path=path,
        content=content,
        about=about,
        inputs=tuple(inputs),
        parameters=sum(array.size for array in weights if array.dtype.kind == "f" or array.dtype.itemsize == 1),
        kinds=tuple(sorted({array.dtype.name for array in weights if array.dtype.kind == "f" or array.dtype.itemsize == 1})),
        ours=said is not None,
        gate=None if gate is None else gate.SerializeToString(),
    )


def _parsed(path: Path, content: bytes) -> Any:
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise MissingExtraError("onnx", EXTRA, f"opening {path.name}") from error
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{path} is cut short, damaged or no ONNX file ({len(content)} bytes); export or download it again"
        ) from error
    if not model.graph.node or not model.graph.output:
        raise WeightsError(f"{path} holds no graph ({len(content)} bytes); export or download it again")
    return model


def _refuse(path: Path, model: Any) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    for node in model.graph.node:
        if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own:
            raise WeightsError(f"{path} asks for the operator {node.op_type[:60]!r} of {node.domain[:60]!r}, which is not run here")
    for tensor in model.graph.initializer:
        if tensor.external_data:
            raise WeightsError(f"{path} keeps its weights in other files, which are not opened; export it as one file")


def _gate(path: Path, held: str | None) -> Any:
    """The graph that judges, read and checked as the file itself."""
    try:
        model = _parsed(path, base64.b64decode(held or "", validate=True))
    except (binascii.Error, WeightsError) as error:
        raise WeightsError(f"{path} says it is believed by a gate, but holds none that can be read; export it again") from error
    _refuse(path, model)
    return model


def _weights(path: Path, model: Any) -> Iterator["np.ndarray[Any, Any]"]:
    from onnx import numpy_helper

    for tensor in model.graph.initializer:
        try:
            array = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, RuntimeError) as error:
            raise WeightsError(f"{path}: tensor {tensor.name[:80]!r} is damaged; export or download it again") from error
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(f"{path}: tensor {tensor.name[:80]!r} holds NaN or infinity; the training that wrote it went wrong")
        yield array


def _shape(value: Any) -> tuple[int | None, ...]:
    return tuple(side.dim_value or None for side in value.type.tensor_type.shape.dim)


def _ours(path: Path, said: str, outputs: Mapping[str, Any]) -> OnnxAbout:
    try:
        about = OnnxAbout.model_validate_json(said)
    except ValidationError as error:
        raise WeightsError(f"{path} does not say what it is, though limpid wrote it; export it again") from error
    missing = [layer for layer in about.layers if layer not in outputs]
    if missing or not about.layers or not about.tasks:
        raise WeightsError(f"{path} says it answers with {', '.join(about.layers)}, but has {', '.join(outputs)}; export it again")
    return about


def _first_work(path: Path, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> OnnxAbout:
    """A file of PINTO0309/reflection-removal: one photo in, both layers out; its head alone has nobody to feed it."""
    shapes = list(inputs.values())
    if not set(_FIRST_WORK) <= set(outputs) or not shapes or any(len(shape) < 3 for shape in shapes):
        raise WeightsError(
            f"{path} is no network of layers: it takes {_named(inputs)} and answers with {_named(outputs)}; limpid runs what"
            " `limpid export` wrote and graphs from one photo to transmission and reflection"
        )
    if len(shapes) > 1:
        raise WeightsError(
            f"{path} is the head of a network, fed by {_named(inputs)}; export the whole one, or use limpid's own head"
        )
    batch, channels, height, width = shapes[0] if len(shapes[0]) == 4 else (None,) * 4
    if channels != 3:
        raise WeightsError(f"{path} takes {shapes[0]}; expected (1, 3, height, width), RGB")
    answer = outputs["transmission"][-2:]
    size = (height, width) if height and width else None
    return OnnxAbout(
        model="hypercolumn",
        tasks=("reflection",),
        layers=_FIRST_WORK,
        multiple=16,  # its exports are wrong, without an error, at other sizes
        minimum=32,
        tiling="discouraged",
        size=size,
        head=answer if size and all(answer) and answer != size else None,
        batch=batch or 1,
        source="PINTO0309/reflection-removal (MIT), by its inputs and outputs",
    )


def _named(values: Mapping[str, Any]) -> str:
    shown = [f"{name[:40]} {tuple(shape)}".replace("None", "any") for name, shape in values.items()]
    return ", ".join(shown[:4]) + (" …" if len(shown) > 4 else "")
