"""Films, cameras and streams of raw frames through a network, one frame after another; sound is left out."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import cv2
import numpy as np
import torch
from torch import Tensor

from limpid.errors import PhotoError, UsageError
from limpid.image.size import local_mean
from limpid.layers.pixels import quantise
from limpid.runtime.load import load_with
from limpid.runtime.options import FilmOptions
from limpid.runtime.separator import Separator

PIPE = "-"

Frame = np.ndarray[Any, Any]
"""(H, W, 3), RGB, uint8."""

_CODES = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
_STILL = 4 / 255
"""Mean change from frame to frame, 0…1, below which a place stands still; about what cameras' noise leaves of a mean."""

_AROUND = 15  # pixels, side of the square over which that is averaged


@dataclass(frozen=True, kw_only=True)
class Filmed:
    """How many frames there were, and how many a second were done."""

    frames: int
    rate: float


def film(options: FilmOptions, tell: Callable[[int], None] = lambda frames: None) -> Filmed:
    """Run a network over all frames; ``tell`` hears how many are done. A film appears whole or not at all.

    Raises UsageError for places that cannot be, PhotoError for what is no film, and what ``load`` raises.
    """
    _check(options)
    separator = load_with(options.model, options, options.task)
    layer = separator.task.primary if options.layer is None else separator.task.layer_name(options.layer)
    calm = Calm(options.damp) if layer == separator.task.primary and options.damp else None
    started, done = time.perf_counter(), 0
    with _source(options) as (frames, rate), _sink(options, rate) as write:
        for frame in islice(frames, options.count):
            write(_separated(separator, frame, layer, options.strength, calm))
            done += 1
            tell(done)
        if not done:
            raise PhotoError(f"{options.source} holds no frame that can be read")
    return Filmed(frames=done, rate=done / (time.perf_counter() - started))


class Calm:
    """Damps flicker: where a scene stands still, a share of what was taken off before stays. ``damp``: that share, 0…1."""

    def __init__(self, damp: float) -> None:
        self.damp = damp
        self._before: Tensor | None = None
        self._change: Tensor | None = None

    def __call__(self, frame: Tensor, primary: Tensor) -> Tensor:
        """The primary layer (3, H, W) of a frame, less its flicker."""
        change = frame - primary
        if self._change is not None and self._before is not None and self._change.shape == change.shape:
            moved = local_mean((frame - self._before).abs().mean(0, keepdim=True), _AROUND)
            change = torch.lerp(change, self._change, self.damp * (moved < _STILL).float())
        self._before, self._change = frame, change
        return frame - change


def _separated(separator: Separator, frame: Frame, layer: str, strength: float, calm: Calm | None) -> Frame:
    found = separator(frame, strength=strength).layer(layer)
    if calm is not None:
        found = calm(torch.from_numpy(frame).permute(2, 0, 1) / 255, found)
    shown = 0.5 + found / 2 if layer in separator.task.signed else found
    written: Frame = quantise(shown, np.uint8)
    return written


def _check(options: FilmOptions) -> None:
    out = Path(options.output)
    if options.output == PIPE:
        return
    if out.suffix.lower() not in _CODES:
        raise UsageError(f"-o {out} must end in {', '.join(_CODES)}, or be - for raw frames")
    if out.exists() and not options.overwrite:
        raise UsageError(f"{out} exists; choose another name with -o or add --overwrite")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is no folder; create it or choose another place")


@contextmanager
def _source(options: FilmOptions) -> Iterator[tuple[Iterator[Frame], float]]:
    """Frames and how many of them a second has."""
    if options.size is not None:
        yield _raw(sys.stdin.buffer, options.size), options.rate
        return
    camera = options.source.isdigit()
    capture = cv2.VideoCapture(int(options.source) if camera else options.source)
    try:
        if not capture.isOpened():
            raise PhotoError(f"{options.source} is no {'camera' if camera else 'film'} that OpenCV opens here")
        rate = capture.get(cv2.CAP_PROP_FPS)
        yield _captured(capture), options.rate if camera or not 1 <= rate <= 1000 else rate
    finally:
        capture.release()


def _raw(stream: BinaryIO, size: tuple[int, int]) -> Iterator[Frame]:
    """Frames of a stream of bytes; a last one that is cut off is left out."""
    count = size[0] * size[1] * 3
    while len(content := stream.read(count)) == count:
        yield np.frombuffer(content, np.uint8).reshape(*size, 3).copy()


def _captured(capture: Any) -> Iterator[Frame]:
    while True:
        there, frame = capture.read()
        if not there:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


@contextmanager
def _sink(options: FilmOptions, rate: float) -> Iterator[Callable[[Frame], None]]:
    """Where frames go: raw to standard output, or into a film that takes its place when all went well."""
    if options.output == PIPE:
        yield lambda frame: _write_raw(sys.stdout.buffer, frame)
        return
    out = Path(options.output)
    with TemporaryDirectory(dir=out.parent, prefix=".limpid-") as folder:
        partial, writer = Path(folder, out.name), None

        def write(frame: Frame) -> None:
            nonlocal writer
            if writer is None:
                code = cv2.VideoWriter.fourcc(*_CODES[out.suffix.lower()])
                writer = cv2.VideoWriter(str(partial), code, rate, (frame.shape[1], frame.shape[0]))
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

        try:
            yield write
        finally:
            if writer is not None:
                writer.release()
        os.replace(partial, out)


def _write_raw(stream: BinaryIO, frame: Frame) -> None:
    stream.write(frame.tobytes())
    stream.flush()
