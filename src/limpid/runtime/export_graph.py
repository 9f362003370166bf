"""From a network to an ONNX model: traced by torch.export, translated by PyTorch's own exporter, simplified by onnxslim."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from inspect import signature
from io import StringIO
from typing import Any

import torch
from torch import Tensor, nn

from limpid.checkpoints.onnx_file import EXTRA
from limpid.errors import LimpidError, MissingExtraError
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation
from limpid.models.deconvolution import Deconvolution
from limpid.models.hypercolumn import Hypercolumn

LEAST = 32
"""Smallest side of a graph of any size, pixels; the runtime repeats the rim of smaller photos."""

LEAST_PYRAMID = 64
"""The same where a pyramid pools cells of 32 pixels: a single one would be a case of its own in the graph."""

MOST = 8192
"""Largest side of a graph of any size, pixels."""

_TRACED = (67, 101)  # pixels, about; height and width differ so that no graph takes one for the other


_KEPT = ["FusionConvMul", "FusionConvTransposeMul"]
"""Left to runtimes, which do it when they open a graph: in a file, scales inside of weights take them out of float16."""


class ExportError(LimpidError):
    """A network cannot become a graph, or its graph answers otherwise than the network."""


class Whole(nn.Module):
    """Photo (B, 3, H, W) → layers in their order."""

    inputs: Sequence[str] = ("input",)

    def __init__(self, network: LayerNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> tuple[Tensor, ...]:
        """What the network answers."""
        return _in_order(self.network(photo))

    def sample(self, batch: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Inputs for a photo of ``size``, random, 0…1."""
        return (torch.rand(batch, 3, *size, generator=generator),)

    def dynamic(self, names: Mapping[str, Tensor], sizes: "Sizes") -> Any:
        """Which sides of its inputs may differ from call to call, as ``torch.export`` wants to be told."""
        return _dynamic(self, names, sizes)


class Judged(Whole):
    """Photo and what deconvolutions made of it, (B, N, 3, H, W) → ``restored``: the search for the kernel stays outside."""

    inputs = ("input", "sharp")
    network: Deconvolution

    def forward(self, photo: Tensor, sharp: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """What the two networks answer."""
        return _in_order(self.network.judge(photo, sharp))

    def sample(self, batch: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """A photo and random candidates."""
        sharp = torch.rand(batch, len(self.network.noise), 3, *size, generator=generator)
        return (*super().sample(batch, size, generator), sharp)


class Head(Whole):
    """Maps of the backbone, shallow to deep, (B, C, h, w) each, and the photo → layers: a detector's features serve twice."""

    network: Hypercolumn

    def __init__(self, network: Hypercolumn) -> None:
        super().__init__(network)
        self.inputs = (*network.backbone.channels, "input")

    def forward(self, *maps_and_photo: Tensor) -> tuple[Tensor, ...]:
        """What the head answers."""
        *maps, photo = maps_and_photo
        return _in_order(self.network.from_maps(dict(zip(self.inputs, maps, strict=False)), photo))

    def sample(self, batch: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """The maps of a random photo, and the photo."""
        photo = torch.rand(batch, 3, *size, generator=generator)
        with torch.no_grad():
            return (*self.network.backbone(photo).values(), photo)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What sizes a graph takes, pixels: one ``size`` (height, width) or, None, multiples of ``multiple`` from ``minimum`` on."""

    size: tuple[int, int] | None
    multiple: int
    minimum: int
    batch: int = 1

    def traced(self) -> tuple[int, int]:
        """The size that is traced: that of the graph, or odd multiples, as slices of even ones are left out of a graph."""
        if self.size is not None:
            return self.size
        rows, columns = (max(-(-side // self.multiple), -(-self.minimum // self.multiple)) | 1 for side in _TRACED)
        return rows * self.multiple, (columns + 2 * (rows == columns)) * self.multiple


def graph_of(network: LayerNetwork, head_only: bool) -> Whole:
    """The module that is traced. Raises ExportError where a network has no head of its own."""
    if head_only and not isinstance(network, Hypercolumn):
        raise ExportError("only hypercolumn networks have a head that other features can feed; leave out --head-only")
    if isinstance(network, Hypercolumn) and head_only:
        return Head(network).eval()
    return (Judged(network) if isinstance(network, Deconvolution) else Whole(network)).eval()


def trace(graph: Whole, layers: Sequence[str], sizes: Sizes, opset: int) -> Any:
    """An ``onnx.ModelProto`` whose inputs and outputs have the names of the graph's inputs and of the layers.

    Raises MissingExtraError and, with the exporter's own reason, ExportError.
    """
    try:
        import onnxscript  # noqa: F401 - PyTorch's exporter needs it and says so less plainly
        import onnxslim
    except ImportError as error:
        raise MissingExtraError("onnxscript and onnxslim", EXTRA, "limpid export") from error
    if "prefer_deferred_runtime_asserts_over_guards" not in signature(torch.export.export).parameters:
        raise ExportError(f"limpid export needs a newer PyTorch than {torch.__version__}; install torch 2.9 or later")
    sample = graph.sample(sizes.batch, sizes.traced(), torch.Generator().manual_seed(0))
    names = dict(zip(graph.inputs, sample, strict=True))
    with torch.no_grad(), warnings.catch_warnings(), redirect_stdout(StringIO()), _silenced("torch", "onnxscript", "onnx_ir"):
        warnings.simplefilter("ignore")
        try:
            program = torch.export.export(
                graph,
                sample,
                dynamic_shapes=None if sizes.size is not None else graph.dynamic(names, sizes),
                strict=False,
                prefer_deferred_runtime_asserts_over_guards=True,  # parity is looked at afterwards, at odd and even sizes
            )
            made = torch.onnx.export(program, dynamo=True, opset_version=opset, verbose=False)
        except (
            torch.onnx.OnnxExporterError,
            torch._dynamo.exc.TorchDynamoException,
            RuntimeError,
            ValueError,
            NotImplementedError,
        ) as error:
            raise ExportError(f"PyTorch's exporter gave up: {_reason(error)}") from error
    assert made is not None
    model = made.model_proto
    _rename(model, [value.name for value in model.graph.input], graph.inputs)
    _rename(model, [value.name for value in model.graph.output], layers)
    with _silenced("onnxslim"):
        return onnxslim.slim(model, skip_fusion_patterns=_KEPT)


def _dynamic(graph: Whole, names: Mapping[str, Tensor], sizes: Sizes) -> Any:
    """Which sides may differ from call to call; maps of a head follow the photo by their stride."""
    stride = max((names["input"].shape[-1] // tensor.shape[-1] for tensor in names.values()), default=1)
    multiple = max(sizes.multiple, stride if isinstance(graph, Head) else 1)
    least = max(2, -(-sizes.minimum // multiple))
    rows, columns = (torch.export.Dim(name, min=least, max=MOST // multiple) for name in ("rows", "columns"))

    def sides(tensor: Tensor) -> dict[int, Any]:
        cells = multiple * tensor.shape[-1] // names["input"].shape[-1]
        return {tensor.ndim - 2: _times(cells, rows), tensor.ndim - 1: _times(cells, columns)}

    shapes = tuple(sides(tensor) for tensor in names.values())
    return (shapes,) if isinstance(graph, Head) else shapes  # a head takes one row of inputs


def _times(factor: int, dim: Any) -> Any:
    return dim if factor == 1 else factor * dim


def _in_order(layers: Separation) -> tuple[Tensor, ...]:
    return tuple(layers.values())


def _rename(model: Any, old: Sequence[str], new: Sequence[str]) -> None:
    """Give inputs or outputs of a graph other names, throughout."""
    names = {before: after for before, after in zip(old, new, strict=True) if before != after}
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        value.name = names.get(value.name, value.name)
    for node in model.graph.node:
        for slots in (node.input, node.output):
            for place, name in enumerate(slots):
                slots[place] = names.get(name, name)


class _silenced:  # noqa: N801 - reads as what it is: `with _silenced("torch")`
    """Keep libraries from writing warnings of their own while the block runs."""

    def __init__(self, *names: str) -> None:
        self._loggers = [logging.getLogger(name) for name in names]

    def __enter__(self) -> None:
        self._levels = [logger.level for logger in self._loggers]
        for logger in self._loggers:
            logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        for logger, level in zip(self._loggers, self._levels, strict=True):
            logger.setLevel(level)


def _reason(error: BaseException) -> str:
    """The first line that says something, of the exception that came first."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
