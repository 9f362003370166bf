"""What a forward costs in memory and time: shipped for our own networks, else seen once and remembered on this machine."""

import json
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import TypeAdapter
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from limpid.files import parse_json, read_file
from limpid.runtime.device import arithmetic
from limpid.weights import manifest
from limpid.weights.fetch import cache_folder

MARGIN = 1.65
"""Resident bytes per byte of activations: workspaces and the allocator's slack (measured: 1.3 to 1.8 on sides of 256 to 1024)."""

PROBE_SIDE = 256
"""Side in pixels of the square that an unknown network is tried on; smaller photos are run without."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a forward costs: activations in bytes per input pixel, and seconds per input pixel.

    ``pixels``: how many the seconds were measured on; 0 when they are derived from those of another machine.
    """

    bytes_per_pixel: float
    seconds_per_pixel: float
    pixels: int = 0


_COST = TypeAdapter(Cost)


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all storages alive, as seen by the operators that run inside; ``peak`` is the most there were."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = 0
        self._owners: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, Tensor):
                self._own(tensor)
        return result

    def _own(self, tensor: Tensor) -> None:
        key, size = tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()
        if key not in self._owners:
            self.live += size
            self.peak = max(self.peak, self.live)
        self._owners[key] = self._owners.get(key, 0) + 1
        weakref.finalize(tensor, self._disown, key, size)

    def _disown(self, key: int, size: int) -> None:
        self._owners[key] -= 1
        if not self._owners[key]:
            del self._owners[key]
            self.live -= size


@torch.inference_mode()
def measure(forward: Callable[[Tensor], Any], device: torch.device, side: int, known: float | None = None) -> Cost:
    """Run a square of ``side`` pixels once, counting its activations unless bytes per pixel are ``known``, and timing it."""
    probe = torch.zeros(1, 3, side, side, device=device)
    started = time.perf_counter()
    with LiveBytes() as counter:
        forward(probe)
    cost = seen(side**2, time.perf_counter() - started, counter)
    return cost if known is None else replace(cost, bytes_per_pixel=known)


def seen(pixels: int, seconds: float, counter: LiveBytes) -> Cost:
    """The cost of a forward of so many pixels that took so long."""
    return Cost(bytes_per_pixel=MARGIN * counter.peak / pixels, seconds_per_pixel=seconds / pixels, pixels=pixels)


def shipped(sha256: str | None, device: torch.device, precision: str) -> Cost | None:
    """The cost of weights that are shipped, its time brought to this machine by a short piece of work; None for others."""
    row = next((row for row in manifest.rows().values() if row.sha256 == sha256), None)
    known = row.costs.get(precision) if row else None
    if known is None:
        return None
    return Cost(bytes_per_pixel=MARGIN * known.live_bytes, seconds_per_pixel=known.work * seconds_of_work(device, precision))


def seconds_of_work(device: torch.device, precision: str) -> float:
    """Time of the work that shipped costs are stated in: a 3×3 convolution of 32 by 32 channels on 128×128 pixels.

    The best of ten tries, some milliseconds each; on a CPU of the process's own time, so that other programs do not count.
    """
    photo, kernel = torch.ones(1, 32, 128, 128, device=device), torch.ones(32, 32, 3, 3, device=device)
    here = device.type == "cpu"
    clock, beside = (time.process_time, torch.get_num_threads()) if here else (time.perf_counter, 1)
    tries = []
    with torch.inference_mode(), arithmetic(device, precision):
        for _ in range(10):
            started = clock()
            float(F.conv2d(photo, kernel, padding=1).sum())  # a number on the CPU is there when the work is done
            tries.append(clock() - started)
    return min(tries) / beside


def _place(sha256: str, device: torch.device, precision: str) -> Path:
    return cache_folder() / "costs" / f"{sha256[:16]}-{device.type}-{precision}-{torch.get_num_threads()}.json"


def remembered(sha256: str | None, device: torch.device, precision: str) -> Cost | None:
    """What these weights cost here when they last ran; None where nobody knows, or the note is of no use."""
    if sha256 is None:
        return None
    try:
        cost = _COST.validate_python(parse_json(read_file(_place(sha256, device, precision))))
    except (OSError, ValueError):
        return None
    sound = 0 < cost.bytes_per_pixel < 1e9 and 0 < cost.seconds_per_pixel < 1e3
    return cost if sound else None


def remember(cost: Cost, sha256: str | None, device: torch.device, precision: str) -> None:
    """Keep a cost in the cache directory; where that cannot be written, the next process finds out anew.

    Not written with the care that photos are: half a note is as none, and flushing to a busy disk takes longer than a forward.
    """
    if sha256 is not None:
        place = _place(sha256, device, precision)
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(asdict(cost)), encoding="utf-8")
