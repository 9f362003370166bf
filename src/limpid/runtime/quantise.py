"""Graphs of fewer bits, by ONNX Runtime's own tools."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from limpid.checkpoints.onnx_file import EXTRA
from limpid.errors import MissingExtraError, UsageError
from limpid.image.find import find
from limpid.image.read import read
from limpid.image.size import crop
from limpid.runtime.export_graph import ExportError, Head, Sizes, Whole

_MOST_PHOTOS = 32  # more hardly move the ranges


def to_float16(model: Any) -> Any:
    """The model (``onnx.ModelProto``) computing in float16, fed and answering in float32. Raises MissingExtraError."""
    try:
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        raise MissingExtraError("onnxruntime", EXTRA, "--precision float16") from error
    return convert_float_to_float16(model, keep_io_types=True, disable_shape_infer=True)


def to_eight_bits(model: Any, graph: Whole, sizes: Sizes, calibrate: Path | None) -> Any:
    """The model with eight-bit weights and, with photos to calibrate on, activations whose ranges were measured on them.

    Without a folder the ranges are found anew in each forward. Raises MissingExtraError, UsageError for a folder without photos and
    ExportError for a graph that takes more than a photo.
    """
    try:
        import onnx
        from onnxruntime import quantization
    except ImportError as error:
        raise MissingExtraError("onnxruntime", EXTRA, "--quantise") from error
    if calibrate is not None and len(graph.inputs) > 1:
        raise ExportError(f"static quantisation needs a graph that takes a photo alone; this one takes {', '.join(graph.inputs)}")
    if isinstance(graph, Head):
        raise ExportError("heads are exported in float32 or float16; leave out --quantise")
    with TemporaryDirectory() as folder:
        plain, small = Path(folder, "plain.onnx"), Path(folder, "small.onnx")
        onnx.save(model, plain)
        if calibrate is None:
            quantization.quantize_dynamic(plain, small, weight_type=quantization.QuantType.QUInt8)
        else:
            reader = _reader(quantization.CalibrationDataReader, graph.inputs[0], calibrate, sizes)
            quantization.quantize_static(plain, small, reader, per_channel=True)
        return onnx.load(small)


def _reader(base: type, name: str, folder: Path, sizes: Sizes) -> Any:
    """ONNX Runtime's iterator over what it measures ranges on: centre pieces of the photos of a folder."""
    photos = [found.path for found in find([str(folder)]).photos][:_MOST_PHOTOS]
    if not photos:
        raise UsageError(f"--calibrate {folder}: there are no photos")
    side = sizes.size or (max(256 // sizes.multiple * sizes.multiple, sizes.minimum),) * 2

    class Reader(base):  # type: ignore[misc]
        """One photo after another, None at the end."""

        def __init__(self) -> None:
            self.left = list(photos)

        def get_next(self) -> dict[str, Any] | None:
            """The next photo, (N, 3, H, W)."""
            if not self.left:
                return None
            piece = crop(read(self.left.pop(0)).tensor(), *side)[None]
            return {name: _fill(piece, side).expand(sizes.batch, -1, -1, -1).contiguous().numpy()}

    return Reader()


def _fill(piece: Tensor, side: tuple[int, int]) -> Tensor:
    height, width = piece.shape[-2:]
    return F.pad(piece, (0, side[1] - width, 0, side[0] - height), mode="replicate")
