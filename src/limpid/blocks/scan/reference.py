"""Backend ``reference``: the recurrence as written, one token after the other, for tests; slow."""

import torch
from torch import Tensor


def scan(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Contract of ``selective.selective_scan``, in the precision of its arguments."""
    state = u.new_zeros(u.shape[0], *a.shape)  # (B, E, N)
    outputs = []
    for u_t, delta_t, b_t, c_t in zip(u.unbind(1), delta.unbind(1), b.unbind(1), c.unbind(1), strict=True):
        state = torch.exp(delta_t[..., None] * a) * state + (delta_t * u_t)[..., None] * b_t[:, None]
        outputs.append((state * c_t[:, None]).sum(-1))
    return torch.stack(outputs, dim=1)
