"""Backend ``chunked``: two levels in plain PyTorch, for any device.

All chunks of tokens advance side by side: once from zero, to learn what each adds to the state, then from their true states,
which a short loop over the chunks carries from one to the next. Every factor lies in 0…1, so nothing can overflow.
"""

from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

_GROUP = 32  # channels at a time: their states stay in the cache of a CPU, and the backward keeps those of one group only
_LONGEST = 512  # tokens of a chunk


def scan(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Contract of ``selective.selective_scan``, in the precision of its arguments."""
    group = _GROUP if u.device.type == "cpu" else u.shape[2]
    cuts = tuple(range(group, u.shape[2], group))
    parts = zip(u.tensor_split(cuts, 2), delta.tensor_split(cuts, 2), a.tensor_split(cuts), strict=True)
    if torch.is_grad_enabled() and u.shape[2] > group:
        return torch.cat([checkpoint(_scan, *part, b, c, use_reentrant=False) for part in parts], dim=2)
    return torch.cat([_scan(*part, b, c) for part in parts], dim=2)


def _scan(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    length = u.shape[1]
    steps = min(_LONGEST, isqrt(length - 1) + 1)
    u_t, delta_t, b_t, c_t = (_by_step(tensor, steps) for tensor in (u, delta, b, c))  # each T of (B, K, E or N)
    ends = delta_t[0].new_zeros(*delta_t[0].shape, a.shape[1])  # (B, K, E, N)
    for step in range(steps):
        ends = _advance(ends, u_t[step], delta_t[step], a, b_t[step])
    states = _starts(ends, torch.stack(delta_t).sum(0), a)
    outputs = []
    for step in range(steps):
        states = _advance(states, u_t[step], delta_t[step], a, b_t[step])
        outputs.append((states * c_t[step][:, :, None]).sum(-1))
    return torch.stack(outputs, dim=2).flatten(1, 2)[:, :length]  # (B, K, T, E) -> (B, L, E)


def _by_step(tensor: Tensor, steps: int) -> tuple[Tensor, ...]:
    """(B, L, C) → T tensors (B, K, C), L padded with zeros: no decay, no input."""
    padded = F.pad(tensor, (0, 0, 0, -tensor.shape[1] % steps))
    return padded.reshape(len(tensor), -1, steps, tensor.shape[2]).unbind(2)


def _advance(state: Tensor, u: Tensor, delta: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.exp(delta[..., None] * a) * state + (delta * u)[..., None] * b[:, :, None]


def _starts(ends: Tensor, total_delta: Tensor, a: Tensor) -> Tensor:
    """State before each chunk (B, K, E, N), from what each chunk adds to it and how much it lets it decay."""
    state = torch.zeros_like(ends[:, 0])
    starts = []
    for end, delta in zip(ends.unbind(1), total_delta.unbind(1), strict=True):
        starts.append(state)
        state = torch.exp(delta[..., None] * a) * state + end
    return torch.stack(starts, dim=1)
