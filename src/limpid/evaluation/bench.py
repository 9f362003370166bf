"""``limpid bench``: what a forward takes with every backend, on one machine in one run, and how far it is from float32."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from torch import Tensor

from limpid.errors import LimpidError, UnknownNameError
from limpid.evaluation.environment import Peak
from limpid.layers.mode import evaluating
from limpid.layers.separation import Separation
from limpid.runtime import backend_choice
from limpid.runtime.export import export
from limpid.runtime.load import load
from limpid.runtime.openvino_engine import OpenVinoEngine, choose_backend
from limpid.runtime.options import BenchOptions, ExportOptions
from limpid.runtime.separator import Separator

Forward = Callable[[Tensor], Separation]

BACKENDS = ("torch", "torch-bf16", "torch-compile", "onnx", "onnx-int8", "openvino", "openvino-float32")

_CHOICES = {"torch": "torch", "torch-bf16": "torch", "openvino": "openvino", "openvino-float32": "openvino"}
_SMALL = 1 / 255
"""Mean difference to float32, full scale 1, beyond which a backend does not keep the quality."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One row: CPU milliseconds of a forward, megapixels per second, peak bytes, differences to float32; or why there is none.

    ``size``: height and width, pixels; differences have full scale 1; ``times``: faster than float32 of PyTorch in this run.
    """

    model: str
    size: tuple[int, int]
    backend: str
    milliseconds: float = 0.0
    megapixels_per_second: float = 0.0
    peak_bytes: int = 0
    largest: float = 0.0
    mean: float = 0.0
    times: float = 0.0
    error: str | None = None


def bench(options: BenchOptions) -> Iterator[Timing]:
    """Rows of every model and size, one after another. Raises UnknownNameError for a backend, and what ``load`` raises."""
    for name in options.backend:
        if name not in BACKENDS:
            raise UnknownNameError("backend", name, BACKENDS)
    torch.set_num_threads(options.threads)
    for model in options.models:
        separator = load(model, "cpu", "float32", "pretrained", backend="torch", offline=options.offline)
        for size in options.size:
            rows = _rows(separator, model, size, options)
            if options.save and separator.sha256 is not None:
                backend_choice.save(separator.sha256, _fastest(rows))
            yield from rows


def _fastest(rows: list[Timing]) -> str:
    """The fastest backend that keeps the quality."""
    kept = [row for row in rows if row.error is None and row.mean <= _SMALL and row.backend in _CHOICES]
    return _CHOICES[min(kept, key=lambda row: row.milliseconds).backend] if kept else "torch"


def _rows(separator: Separator, model: str, size: tuple[int, int], options: BenchOptions) -> list[Timing]:
    photo = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    names = list(dict.fromkeys(("torch", *options.backend)))
    failed: dict[str, Timing] = {}
    forwards: dict[str, Forward] = {}
    answers: dict[str, Separation] = {}
    peaks: dict[str, int] = {}
    with TemporaryDirectory() as folder, torch.inference_mode(), evaluating(separator.network):
        for name in names:
            try:
                forwards[name] = _forward(name, separator, model, size, Path(folder))
                with Peak(torch.device("cpu")) as peak:
                    answers[name] = forwards[name](photo)
                peaks[name] = peak.bytes
            except LimpidError as error:
                forwards.pop(name, None)
                failed[name] = Timing(model=model, size=size, backend=name, error=str(error))
        seconds = _timed(forwards, photo, options.repeats)
    return [failed[name] if name in failed else _row(model, size, name, seconds, peaks, answers) for name in names]


def _timed(forwards: Mapping[str, Forward], photo: Tensor, repeats: int) -> dict[str, float]:
    """The shortest CPU time of each, taken in turns so that what else the machine does falls on all alike."""
    found: dict[str, list[float]] = {name: [] for name in forwards}
    for _ in range(repeats):
        for name, forward in forwards.items():
            started = time.process_time()
            forward(photo)
            found[name].append(time.process_time() - started)
    return {name: min(times) for name, times in found.items()}


def _row(
    model: str,
    size: tuple[int, int],
    name: str,
    seconds: Mapping[str, float],
    peaks: Mapping[str, int],
    answers: Mapping[str, Separation],
) -> Timing:
    gap = torch.stack([(answers[name][layer] - answers["torch"][layer]).abs() for layer in answers[name]])
    return Timing(
        model=model,
        size=size,
        backend=name,
        milliseconds=1000 * seconds[name],
        megapixels_per_second=size[0] * size[1] / 1e6 / seconds[name],
        peak_bytes=peaks[name],
        largest=float(gap.max()),
        mean=float(gap.mean()),
        times=seconds["torch"] / seconds[name],
    )


def _forward(name: str, separator: Separator, model: str, size: tuple[int, int], folder: Path) -> Forward:
    network, layers = separator.network, separator.task.layers
    if name == "torch":
        return network
    if name == "torch-bf16":
        return Separator(network, separator.task, name=model, precision="bfloat16").forward
    if name == "torch-compile":
        compiled: Forward = torch.compile(network)
        return compiled
    if name.startswith("openvino"):
        choose_backend("openvino", network, separator.device)  # refuses networks that it was not measured on
        return OpenVinoEngine(network, layers, "float32" if name.endswith("float32") else "bfloat16", separator.sha256)
    quantise: Literal["dynamic"] | None = "dynamic" if name == "onnx-int8" else None
    out = folder / f"{name}{size[0]}x{size[1]}.onnx"
    with torch.inference_mode(False):
        export(ExportOptions(model=model, output=out, static=size, quantise=quantise))
    return load(out).network
