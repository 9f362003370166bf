"""How much memory a photo needs, how much there is, and how a photo is cut to fit."""

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import psutil

from limpid.errors import NoRoomError, SettingError
from limpid.image.size import fit, padded_size
from limpid.layers.network import Needs
from limpid.runtime.cost import Cost

FIXED = 47_000_000
"""Bytes that the first photo costs whatever its size, beside the weights: libraries loaded for it and their workspaces."""

REPEATED = 1.1
"""Memory of one tile after another by that of one alone: what the allocator does not get back in time (benchmarks/memory.py)."""

SPREAD = 1.1
"""Most memory that was seen by what was planned: the allocator and the system never do twice the same (benchmarks/memory.py)."""

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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one photo will be separated.

    ``working``: (height, width) that the network sees; ``tile``: side of a tile in pixels, None for the whole photo at once;
    ``tiles``: how many; ``pixels``: that the network sees in all; ``halo``: pixels that tiles see around what they contribute;
    ``context``: (height, width, padding included) at which the global parts of the network see the photo first, None without such
    parts or tiles. ``ram``: expected bytes above the imported process; ``seconds``: expected time of the network; None where the
    network has never run.
    """

    working: tuple[int, int]
    tile: int | None
    tiles: int
    pixels: int
    halo: int
    context: tuple[int, int] | None
    ram: int | None
    seconds: float | None

    @property
    def most(self) -> int | None:
        """Bytes that it may take at worst."""
        return None if self.ram is None else at_worst(self.ram)

    def __str__(self) -> str:
        cut = f"{self.tiles} tiles of {self.tile} px" if self.tile else "whole"
        height, width = self.working
        if self.ram is None or self.seconds is None:
            return f"{width}×{height}, {cut}, memory and time not known before this network has run"
        return f"{width}×{height}, {cut}, about {self.ram / 1e6:.0f} MB and {self.seconds:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Held:
    """Bytes that a photo takes besides the forward.

    ``fixed``: whatever its size; ``throughout``: the photo; ``layers``: those of full size, from their first rows on;
    ``otherwise``: the most there is when the network does not run, while the photo is decoded or encoded; ``band``: a pixel of the
    rows in progress, beside a forward; ``rebuilding``: the most while full size is rebuilt, beside photo and layers.
    """

    fixed: int = 0
    throughout: int = 0
    layers: int = 0
    otherwise: int = 0
    band: int = 0
    rebuilding: int = 0


def plan(
    working: tuple[int, int],
    *,
    held: Held,
    budget: int,
    tile: str,
    halo: int,
    needs: Needs,
    cost: Cost | None,
    contextual: bool = False,
    preview: int = 0,
) -> Plan:
    """Choose the whole photo or the largest tile that fits ``budget`` bytes at worst.

    ``working``: (height, width) pixels; ``tile``: ``auto``, ``off`` or a side in pixels; ``halo``: receptive radius. ``cost``: None
    where nobody knows it, then ``auto`` runs the photo whole. ``contextual``: the global parts see the photo before its tiles do;
    what is left fades with distance, so tiles need not spend more than half their side on it, and ``HALO`` suffices. ``preview``:
    pixels that the network is shown beforehand. Precision is never touched. Raises SettingError for an impossible ``tile``,
    NoRoomError when a network that must not be tiled does not fit.
    """
    padded = rows, columns = padded_size(*working, needs.multiple, needs.minimum)

    def around(side: int) -> int:
        return min(halo, max(HALO, side // 4)) if contextual else halo

    def price(side: int | None) -> int:
        seen = rows * columns if side is None else min(side, rows) * min(side, columns)
        height = rows if side is None else min(side - around(side), rows)  # the outermost tiles contribute most
        left = 1 if side is None else REPEATED
        forward = max(left * seen, preview) * (cost.bytes_per_pixel if cost else 0) + held.band * height * columns
        written = 0 if side is None else held.layers  # memory that nobody has written to takes no room
        running = max(written + forward, held.layers + held.rebuilding)
        return int(held.fixed + max(held.otherwise, held.throughout + running))

    def planned(side: int | None) -> Plan:
        if cost is None or side is None:
            context, near = None, halo
        else:
            near = around(side)
            affordable = max(side**2, int((budget - held.fixed - held.throughout - held.layers) / cost.bytes_per_pixel))
            context = _context(padded, affordable, needs) if contextual else None
        tiles, pixels = _count(padded, side, near, context, needs)
        pixels += preview
        ram, seconds = (price(side), cost.seconds_per_pixel * pixels) if cost else (None, None)
        return Plan(working=working, tile=side, tiles=tiles, pixels=pixels, halo=near, context=context, ram=ram, seconds=seconds)

    least = least_tile(around(0), needs)
    if tile not in ("auto", "off"):
        side = _tile_side(tile, least, needs)
        return planned(side if side < max(padded) else None)
    fits = cost is None or at_worst(price(None)) <= budget
    if needs.tiling == "never" and not fits and tile == "auto":
        raise NoRoomError(
            f"this network must see a photo whole and {working[1]}×{working[0]} needs up to {at_worst(price(None)) / 1e6:.0f} MB,"
            f" but {budget / 1e6:.0f} MB are allowed; raise --max-memory or make the photo smaller"
        )
    if tile == "off" or fits or least >= max(padded):
        return planned(None)
    candidates = range(_round_up(max(padded), needs.grid), least, -needs.grid)
    return planned(next((side for side in candidates if at_worst(price(side)) <= budget), least))


def at_worst(ram: int) -> int:
    """The most bytes that were seen where so many were planned."""
    return int(ram * SPREAD)


def least_tile(halo: int, needs: Needs) -> int:
    """The smallest side of a tile, pixels, that contributes enough beside a halo of so many pixels."""
    return _round_up(2 * halo + FADE + CORE, needs.grid)


def _count(padded: tuple[int, int], side: int | None, halo: int, context: tuple[int, int] | None, needs: Needs) -> tuple[int, int]:
    """How many tiles there are, and how many pixels the network sees in all."""
    rows, columns = padded
    step = 0 if side is None else (side - 2 * _round_up(halo, needs.grid) - FADE) // needs.grid * needs.grid
    counts = [1 if side is None or length <= side else -(-(length - side) // step) + 1 for length in padded]
    tiles = counts[0] * counts[1]
    pixels = rows * columns if side is None else tiles * min(side, rows) * min(side, columns)
    return tiles, pixels + (context[0] * context[1] if context else 0)


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
