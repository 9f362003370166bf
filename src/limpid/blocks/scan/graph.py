"""Backend ``graph``: the recurrence as one node that loops over the tokens, for graphs that run at any size (ONNX's Scan)."""

import torch
from torch import Tensor


def scan(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Contract of ``selective.selective_scan``, in the precision of its arguments, without gradients."""
    from torch._higher_order_ops.scan import scan as loop  # the exporter knows this one; it has no public name yet

    def step(state: Tensor, token: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        u_t, delta_t, b_t, c_t = token
        state = torch.exp(delta_t[..., None] * a) * state + (delta_t * u_t)[..., None] * b_t[:, None]
        return state, (state * c_t[:, None]).sum(-1)

    tokens = tuple(tensor.transpose(0, 1) for tensor in (u, delta, b, c))  # (L, B, …)
    _, outputs = loop(step, u.new_zeros(u.shape[0], *a.shape), tokens)
    mixed: Tensor = outputs.transpose(0, 1)
    return mixed
