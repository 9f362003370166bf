"""Compiled loops of the selective scan: one photo, one block of channels, tokens in order; called without the interpreter lock.

Channels lie side by side in the innermost loops, so that they fill the vector registers whatever the number of states. The
backward recomputes each stretch of tokens from a stored state, so that memory does not grow with the number of states.
"""

from math import exp2
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload, register_jitable

LOG2_E = 1.4426950408889634


def power(exponent: Any) -> Any:
    """2 ** exponent for exponents up to 0, in their own precision."""
    return 2.0**exponent


@register_jitable
def _single_power(exponent: Any) -> Any:
    """Taylor series about the nearest integer, degree 7: relative error below 2e-7, in vector registers (libm is not)."""
    exponent = max(exponent, np.float32(-126.0))
    whole = np.int32(exponent - np.float32(0.5))  # towards zero
    x = (exponent - np.float32(whole)) * np.float32(0.6931471805599453)
    series = np.float32(1 / 5040)
    series = series * x + np.float32(1 / 720)
    series = series * x + np.float32(1 / 120)
    series = series * x + np.float32(1 / 24)
    series = series * x + np.float32(1 / 6)
    series = series * x + np.float32(1 / 2)
    series = series * x + np.float32(1)
    series = series * x + np.float32(1)
    return series * np.int32((whole + np.int32(127)) << np.int32(23)).view(np.float32)


@overload(power, strict=False)
def _power(exponent: Any) -> Any:
    if exponent == types.float32:
        return lambda exponent: _single_power(exponent)
    return lambda exponent: exp2(exponent)


@njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
def scan_forward(
    u: np.ndarray,
    delta: np.ndarray,
    rate: np.ndarray,
    b: np.ndarray,
    c: np.ndarray,
    y: np.ndarray,
    starts: np.ndarray,
    stretch: int,
    first: int,
    last: int,
) -> None:
    """Channels ``first``…``last`` of y (L, E), from u and delta (L, E), rate = a·log2(e) as (N, E), b and c (L, N).

    ``starts`` (L / stretch, N, E) receives the state before every ``stretch``-th token, or is empty.
    """
    length, states, width = len(u), len(rate), last - first
    own_rate = rate[:, first:last].copy()
    state = np.zeros((states, width), u.dtype)
    step, push, total = np.empty(width, u.dtype), np.empty(width, u.dtype), np.empty(width, u.dtype)
    for t in range(length):
        if len(starts) and t % stretch == 0:
            starts[t // stretch, :, first:last] = state
        for e in range(width):
            step[e] = delta[t, first + e]
            push[e] = step[e] * u[t, first + e]
            total[e] = 0
        for n in range(states):
            write, read = b[t, n], c[t, n]
            for e in range(width):
                value = power(step[e] * own_rate[n, e]) * state[n, e] + write * push[e]
                state[n, e] = value
                total[e] += read * value
        for e in range(width):
            y[t, first + e] = total[e]


@njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
def _remember(
    u: np.ndarray,
    delta: np.ndarray,
    own_rate: np.ndarray,
    b: np.ndarray,
    start: np.ndarray,
    first: int,
    states: np.ndarray,
    decays: np.ndarray,
) -> None:
    """States before each token of a stretch and after the last one, (T + 1, N, W), and decays (T, N, W)."""
    count, width = own_rate.shape
    states[0] = start
    push = np.empty(width, u.dtype)
    for t in range(len(u)):
        for e in range(width):
            push[e] = delta[t, first + e] * u[t, first + e]
        for n in range(count):
            write = b[t, n]
            for e in range(width):
                decay = power(delta[t, first + e] * own_rate[n, e])
                decays[t, n, e] = decay
            for e in range(width):
                states[t + 1, n, e] = decays[t, n, e] * states[t, n, e] + write * push[e]


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _sum_of_products(first: np.ndarray, second: np.ndarray) -> Any:
    total = first.dtype.type(0)
    for e in range(len(first)):
        total += first[e] * second[e]
    return total


@njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
def scan_backward(
    u: np.ndarray,
    delta: np.ndarray,
    rate: np.ndarray,
    b: np.ndarray,
    c: np.ndarray,
    starts: np.ndarray,
    stretch: int,
    first: int,
    last: int,
    dy: np.ndarray,
    du: np.ndarray,
    ddelta: np.ndarray,
    da: np.ndarray,
    db: np.ndarray,
    dc: np.ndarray,
) -> None:
    """Gradients of channels ``first``…``last``: du, ddelta (L, E); da (N, E); this block's share of db and dc (L, N)."""
    length, count, width = len(u), len(rate), last - first
    own_rate = rate[:, first:last].copy()
    states = np.empty((stretch + 1, count, width), u.dtype)
    decays = np.empty((stretch, count, width), u.dtype)
    adjoint, own_da = np.zeros((count, width), u.dtype), np.zeros((count, width), u.dtype)
    push, step, pull = np.empty(width, u.dtype), np.empty(width, u.dtype), np.empty(width, u.dtype)
    dpush, dstep, change = np.empty(width, u.dtype), np.empty(width, u.dtype), np.empty(width, u.dtype)
    for chunk in range(len(starts) - 1, -1, -1):
        begin, end = chunk * stretch, min(length, (chunk + 1) * stretch)
        _remember(u[begin:end], delta[begin:end], own_rate, b[begin:end], starts[chunk, :, first:last], first, states, decays)
        for t in range(end - 1, begin - 1, -1):
            for e in range(width):
                step[e], pull[e] = delta[t, first + e], dy[t, first + e]
                push[e] = step[e] * u[t, first + e]
                dpush[e] = 0
                dstep[e] = 0
            for n in range(count):
                write, read = b[t, n], c[t, n]
                decay, before, own = decays[t - begin, n], states[t - begin, n], adjoint[n]
                # short loops over few arrays each: with more, compilers give up proving that they do not overlap
                dc[t, n] = _sum_of_products(pull, states[t - begin + 1, n])
                for e in range(width):
                    own[e] += read * pull[e]
                db[t, n] = _sum_of_products(own, push)
                for e in range(width):
                    dpush[e] += write * own[e]
                for e in range(width):
                    own[e] *= decay[e]
                for e in range(width):
                    change[e] = own[e] * before[e]
                for e in range(width):
                    dstep[e] += change[e] * own_rate[n, e]
                for e in range(width):
                    own_da[n, e] += change[e] * step[e]
            for e in range(width):
                du[t, first + e] = dpush[e] * step[e]
                ddelta[t, first + e] = dstep[e] / LOG2_E + dpush[e] * u[t, first + e]
    da[:, first:last] = own_da
