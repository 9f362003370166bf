"""Backend ``numba``: compiled loops on the CPU with an exact backward; memory linear in the number of tokens.

Photos and blocks of channels are independent and run on as many threads as PyTorch may use.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limpid.blocks.scan.kernels import LOG2_E, scan_backward, scan_forward

_BLOCK = 128  # channels of one task: with 16 states, 8 kB of state, and 1 MB for a stretch of the backward
_STRETCH = 64  # tokens between stored states


def scan(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Contract of ``selective.selective_scan``; float32 or float64, CPU."""
    trains = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (u, delta, a, b, c))
    stored = -(-u.shape[1] // _STRETCH) if trains else 0
    result: Tensor = _Scan.apply(u, delta, a, b, c, stored)  # type: ignore[no-untyped-call]
    return result


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, stored: int) -> Tensor:
        batch, _, channels = u.shape
        u, delta, b, c = (tensor.contiguous() for tensor in (u, delta, b, c))
        y = torch.empty_like(u)
        starts = u.new_empty(batch, stored, a.shape[1], channels)
        ins, rate, outs = _arrays(u, delta, b, c), _rate(a), _arrays(y, starts)

        def task(photo: int, first: int) -> None:
            one_u, one_delta, one_b, one_c = (array[photo] for array in ins)
            one_y, one_starts = (array[photo] for array in outs)
            last = min(channels, first + _BLOCK)
            scan_forward(one_u, one_delta, rate, one_b, one_c, one_y, one_starts, _STRETCH, first, last)

        _run(task, batch, channels)
        if stored:
            ctx.save_for_backward(u, delta, a, b, c, starts)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        u, delta, a, b, c, starts = ctx.saved_tensors
        batch, length, channels = u.shape
        blocks = -(-channels // _BLOCK)
        du, ddelta = torch.empty_like(u), torch.empty_like(u)
        da = u.new_empty(batch, a.shape[1], channels)
        db, dc = u.new_empty(batch, blocks, length, a.shape[1]), u.new_empty(batch, blocks, length, a.shape[1])
        ins, rate, outs = _arrays(u, delta, b, c, starts, dy.contiguous()), _rate(a), _arrays(du, ddelta, da, db, dc)

        def task(photo: int, first: int) -> None:
            one_u, one_delta, one_b, one_c, one_starts, one_dy = (array[photo] for array in ins)
            one_du, one_ddelta, one_da, shares_b, shares_c = (array[photo] for array in outs)
            last, block = min(channels, first + _BLOCK), first // _BLOCK
            places = (one_starts, _STRETCH, first, last, one_dy, one_du, one_ddelta, one_da, shares_b[block], shares_c[block])
            scan_backward(one_u, one_delta, rate, one_b, one_c, *places)

        _run(task, batch, channels)
        return du, ddelta, da.sum(0).T, db.sum(1), dc.sum(1), None


def _arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(tensor.detach().numpy() for tensor in tensors)


def _rate(a: Tensor) -> np.ndarray:
    """(E, N) decay rates to the base e → (N, E) to the base 2."""
    rate: np.ndarray = (a.detach().T * LOG2_E).contiguous().numpy()
    return rate


def _run(task: Callable[[int, int], None], batch: int, channels: int) -> None:
    """Do ``task(photo, first channel)`` for all photos and blocks of channels."""
    pieces = [(photo, first) for photo in range(batch) for first in range(0, channels, _BLOCK)]
    threads = min(torch.get_num_threads(), len(pieces))
    if threads == 1:
        for piece in pieces:
            task(*piece)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda piece: task(*piece), pieces):
            pass
