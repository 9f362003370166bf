"""How much memory a forward needs, how much there is, and how a photo is cut to fit."""

import ctypes
import math
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from limpid.errors import NoRoomError, SettingError
from limpid.image.size import fit, padded_size
from limpid.layers.network import Needs

MARGIN = 1.9
"""Resident bytes per byte of activations: workspaces and the allocator's slack (measured: 1.7 to 2.0 on three tile sizes)."""

FADE = 16
"""Pixels over which neighbouring tiles are blended."""

HALO = 128
"""Pixels of surroundings that a tile of a network with global parts sees, at least (or all of its ``radius``)."""

CONTEXT_SIDE = 1024
"""Longest side in pixels at which the global parts of a network see a photo that is cut into tiles."""

CORE = 128
"""Least pixels per side that a tile contributes; with fewer the halos would cost more than they save."""


@cache
def _trim() -> Callable[[int], int] | None:
    """The C library's function that hands freed pages back, where there is one (glibc)."""
    try:
        function: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):
        return None
    return function


def give_back() -> None:
    """Hand freed memory back to the system; without it, photos of ever new sizes leave holes that add up (benchmarks/soak.py)."""
    trim = _trim()
    if trim:
        trim(0)


def default_budget() -> int:
    """The smaller of 1.5 GB and a quarter of the free memory, bytes above the imported process."""
    return min(1_500_000_000, psutil.virtual_memory().available // 4)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left: Python's own, or PyTorch's, which on a CPU is a plain RuntimeError."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a forward costs: activations in bytes per input pixel, and seconds per input pixel, None where nobody has timed it."""

    bytes_per_pixel: float
    seconds_per_pixel: float | None = None


class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all storages alive, as seen by the operators that run inside."""

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
    """Run a square of ``side`` pixels twice: once counting its activations, unless bytes per pixel are known, once timing it."""
    probe = torch.zeros(1, 3, side, side, device=device)
    with _LiveBytes() as counter:
        forward(probe)
    started = time.perf_counter()
    forward(probe)
    seconds = time.perf_counter() - started
    bytes_per_pixel = MARGIN * counter.peak / side**2 if known is None else known
    return Cost(bytes_per_pixel=bytes_per_pixel, seconds_per_pixel=seconds / side**2)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one photo will be separated.

    ``working``: (height, width) that the network sees; ``tile``: side of a tile in pixels, None for the whole photo at once;
    ``tiles``: how many; ``halo``: pixels that they see around what they contribute; ``context``: (height, width, padding
    included) at which the global parts of the network see the photo first, None without such parts or tiles. ``ram``: expected
    bytes above the imported process; ``seconds``: expected time of the network, None where it is not known.
    """

    working: tuple[int, int]
    tile: int | None
    tiles: int
    halo: int
    context: tuple[int, int] | None
    ram: int
    seconds: float | None

    def __str__(self) -> str:
        cut = f"{self.tiles} tiles of {self.tile} px" if self.tile else "whole"
        height, width = self.working
        time = "" if self.seconds is None else f" and {self.seconds:.1f} s"
        return f"{width}×{height}, {cut}, about {self.ram / 1e6:.0f} MB{time}"


def plan(
    working: tuple[int, int],
    *,
    held: int,
    band: int,
    budget: int,
    tile: str,
    halo: int,
    needs: Needs,
    cost: Cost,
    contextual: bool = False,
) -> Plan:
    """Choose the whole photo or the largest tile that fits ``budget`` bytes.

    ``working``: (height, width) pixels; ``held``: bytes held throughout (photo, layers); ``band``: bytes per pixel of the rows
    in progress; ``tile``: ``auto``, ``off`` or a side in pixels; ``halo``: receptive radius. ``contextual``: the global parts see
    the photo before its tiles do; what is left fades with distance, so tiles need not spend more than half their side on it, and
    ``HALO`` suffices. Precision is never touched. Raises SettingError for an impossible ``tile``, NoRoomError when a network
    that must not be tiled does not fit.
    """
    padded = rows, columns = padded_size(*working, needs.multiple, needs.minimum)

    def around(side: int) -> int:
        return min(halo, max(HALO, side // 4)) if contextual else halo

    def price(side: int | None) -> int:
        seen = rows * columns if side is None else min(side, rows) * min(side, columns)
        height = rows if side is None else min(side - 2 * around(side), rows)
        return int(held + cost.bytes_per_pixel * seen + band * height * columns)

    def planned(side: int | None) -> Plan:
        if side is None:
            return _planned(working, padded, None, halo, None, needs, cost, price(None))
        affordable = max(side**2, int((budget - held) / cost.bytes_per_pixel))
        context = _context(padded, affordable, needs) if contextual else None
        return _planned(working, padded, side, around(side), context, needs, cost, price(side))

    least = least_tile(around(0), needs)
    if tile not in ("auto", "off"):
        side = _tile_side(tile, least, needs)
        return planned(side if side < max(padded) else None)
    fits = price(None) <= budget
    if needs.tiling == "never" and not fits and tile == "auto":
        raise NoRoomError(
            f"this network must see a photo whole and {working[1]}×{working[0]} needs about {price(None) / 1e6:.0f} MB,"
            f" but {budget / 1e6:.0f} MB are allowed; raise --max-memory or make the photo smaller"
        )
    if tile == "off" or fits:
        return planned(None)
    candidates = range(_round_up(max(padded), needs.grid), least, -needs.grid)
    return planned(next((side for side in candidates if price(side) <= budget), least))


def least_tile(halo: int, needs: Needs) -> int:
    """The smallest side of a tile, pixels, that contributes enough beside a halo of so many pixels."""
    return _round_up(2 * halo + FADE + CORE, needs.grid)


def _planned(
    working: tuple[int, int],
    padded: tuple[int, int],
    side: int | None,
    halo: int,
    context: tuple[int, int] | None,
    needs: Needs,
    cost: Cost,
    ram: int,
) -> Plan:
    rows, columns = padded
    step = 0 if side is None else (side - 2 * _round_up(halo, needs.grid) - FADE) // needs.grid * needs.grid
    counts = [1 if side is None or length <= side else -(-(length - side) // step) + 1 for length in padded]
    tiles = counts[0] * counts[1]
    pixels = rows * columns if side is None else tiles * min(side, rows) * min(side, columns)
    pixels += context[0] * context[1] if context else 0
    seconds = None if cost.seconds_per_pixel is None else cost.seconds_per_pixel * pixels
    return Plan(working=working, tile=side, tiles=tiles, halo=halo, context=context, ram=ram, seconds=seconds)


def _context(padded: tuple[int, int], affordable: int, needs: Needs) -> tuple[int, int]:
    """The padded photo itself, or what it is reduced to for at most ``affordable`` pixels and ``CONTEXT_SIDE``."""
    longest = min(CONTEXT_SIDE, int(max(padded) * math.sqrt(affordable / (padded[0] * padded[1]))))
    if longest >= max(padded):
        return padded
    small = fit(*padded, longest)
    return padded_size(small[0] // needs.grid * needs.grid, small[1] // needs.grid * needs.grid, needs.grid, needs.minimum)


def _tile_side(text: str, least: int, needs: Needs) -> int:
    if not text.isdigit() or int(text) < least:
        raise SettingError(f"--tile {text!r} must be auto, off or a side of at least {least} pixels for this network")
    if needs.tiling == "never":
        raise SettingError(f"this network must see a photo whole; leave out --tile {text}")
    return int(text) // needs.grid * needs.grid


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
