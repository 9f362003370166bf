"""Whether a graph answers as the network that it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from limpid.checkpoints.onnx_file import OnnxAbout
from limpid.runtime.export_graph import ExportError, Sizes, Whole
from limpid.runtime.onnx_network import faults, run

LIMITS: Mapping[str, float] = {"float32": 1e-4, "float16": 1e-2}
"""Largest difference of a value of a layer to PyTorch's, full scale 1, or of the largest value where that is more."""

MEAN_LIMIT = 0.05
"""The same for eight-bit graphs, as a mean: their largest differences say little."""

_SIZES = ((3, 5, 0, 0), (4, 2, 0, 3), (7, 4, 5, 1))
"""Rows and columns in units of 16 pixels or a graph's multiple, and pixels beside: odd and even, upright and lying."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Largest and mean difference of all layers at one size (height, width)."""

    size: tuple[int, int]
    largest: float
    mean: float


def sizes_to_check(sizes: Sizes) -> list[tuple[int, int]]:
    """Three sizes, those of odd sides too where the graph takes them; that of a graph of one size three times."""
    if sizes.size is not None:
        return [sizes.size] * 3
    unit = max(sizes.multiple, 16)
    least = -(-sizes.minimum // unit)
    odd = sizes.multiple == 1
    return [
        (max(least, rows) * unit + odd * down, max(least, columns) * unit + odd * across) for rows, columns, down, across in _SIZES
    ]


def check_parity(graph: Whole, session: Any, about: OnnxAbout, sizes: Sizes) -> list[Difference]:
    """Run both on random photos. Raises ExportError, with the size and the difference, where they disagree."""
    generator = torch.Generator().manual_seed(1)
    found = [_difference(graph, session, about, size, generator) for size in sizes_to_check(sizes)]
    eight_bits = about.precision not in LIMITS
    for one in found:
        limit, seen = (MEAN_LIMIT, one.mean) if eight_bits else (LIMITS[about.precision], one.largest)
        if not seen <= limit:  # also where it is no number
            raise ExportError(
                f"the graph differs from PyTorch by {seen:.2g} at {one.size[1]}×{one.size[0]}, beyond {limit:g}; nothing was kept"
            )
    return found


@torch.inference_mode()
def _difference(graph: Whole, session: Any, about: OnnxAbout, size: tuple[int, int], generator: torch.Generator) -> Difference:
    sample = graph.sample(1, size, generator)
    wanted = dict(zip(about.layers, graph(*sample), strict=True))
    try:
        answers = run(session, dict(zip(graph.inputs, sample, strict=True)), about)
    except faults() as error:
        raise ExportError(f"the graph does not run at {size[1]}×{size[0]}: {' '.join(str(error).split())[:200]}") from error
    gaps = []
    for name, layer in wanted.items():
        if answers[name].shape != layer[:1].shape:
            raise ExportError(
                f"the graph answers {tuple(answers[name].shape)} at {size[1]}×{size[0]}, PyTorch {tuple(layer.shape)}"
            )
        gaps.append((answers[name] - layer[:1]).abs() / max(1.0, float(layer.abs().max())))
    gap = torch.stack(gaps)
    return Difference(size=size, largest=float(gap.max()), mean=float(gap.mean()))
