"""The selective scan of Mamba (Gu & Dao, 2023, arXiv:2312.00752) with interchangeable backends that agree."""

from importlib.util import find_spec
from typing import Literal

import torch
from torch import Tensor

from limpid.blocks.scan import chunked, graph, reference
from limpid.errors import DeviceError, MissingExtraError, ShapeError, UnknownNameError, UsageError

Backend = Literal["auto", "reference", "chunked", "graph", "numba", "mamba_ssm"]


def selective_scan(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, *, backend: Backend = "auto") -> Tensor:
    """A linear recurrence whose decay, input and output weights depend on the token, causal: y_t sees u_1 … u_t.

    h_t = exp(Δ_t a) h_{t−1} + Δ_t b_t u_t and y_t = Σ_n c_t h_t, from h_0 = 0. ``u``, ``delta`` (Δ, at least 0): (B, L, E);
    ``a`` (at most 0): (E, N); ``b``, ``c``: (B, L, N); returns (B, L, E). The state is float32 whatever comes (float64 for
    float64), and so is the result. ``backend``: ``numba`` (compiled, CPU), ``mamba_ssm`` (its CUDA kernel), ``chunked`` (plain
    PyTorch, any device), ``graph`` (one loop node, for export), ``reference`` (a loop, for tests), ``auto`` (the fastest one
    here). Raises ShapeError, UnknownNameError, and DeviceError, UsageError or MissingExtraError for a backend that cannot run here.
    """
    _check(u, delta, a, b, c)
    precision = torch.promote_types(u.dtype, torch.float32)
    u, delta, a, b, c = (tensor.to(precision) for tensor in (u, delta, a, b, c))
    name = _fastest(u) if backend == "auto" else backend
    if name == "reference":
        return reference.scan(u, delta, a, b, c)
    if name == "chunked":
        return chunked.scan(u, delta, a, b, c)
    if name == "graph":
        return graph.scan(u, delta, a, b, c)
    if name == "numba":
        return _numba(u, delta, a, b, c)
    if name == "mamba_ssm":
        return _mamba_ssm(u, delta, a, b, c)
    raise UnknownNameError("backend", name, ("auto", "reference", "chunked", "graph", "numba", "mamba_ssm"))


def _check(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> None:
    if u.ndim != 3 or 0 in u.shape:
        raise ShapeError(f"u is (batch, tokens, channels), none of them 0; got {tuple(u.shape)}")
    batch, length, channels = u.shape
    states = a.shape[-1]
    expected = {
        "delta": (batch, length, channels),
        "a": (channels, states),
        "b": (batch, length, states),
        "c": (batch, length, states),
    }
    for name, tensor in {"delta": delta, "a": a, "b": b, "c": c}.items():
        if tuple(tensor.shape) != expected[name]:
            raise ShapeError(f"{name} must be {expected[name]} beside u {tuple(u.shape)}; got {tuple(tensor.shape)}")


def _fastest(u: Tensor) -> Backend:
    if torch.compiler.is_exporting():  # a graph holds the loop itself, so that any number of tokens runs
        return "graph"
    if torch.compiler.is_compiling():  # tracers see through plain PyTorch only
        return "chunked"
    if u.device.type == "cuda" and u.dtype == torch.float32 and find_spec("selective_scan_cuda"):  # its kernel is opt-in
        return "mamba_ssm"
    return "numba" if u.device.type == "cpu" and find_spec("numba") else "chunked"


def _numba(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    if u.device.type != "cpu":
        raise DeviceError(f"backend numba runs on the CPU; the tensors are on {u.device}, for which there is backend chunked")
    try:
        from limpid.blocks.scan import compiled
    except ModuleNotFoundError as error:
        raise MissingExtraError("numba", "fast", "the compiled selective scan") from error
    return compiled.scan(u, delta, a, b, c)


def _mamba_ssm(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn  # type: ignore[import-not-found]
    except ImportError as error:
        raise UsageError("backend mamba_ssm needs the library mamba-ssm built with its CUDA kernels; leave it at auto") from error
    ins = (tensor.transpose(1, 2).contiguous() for tensor in (u, delta))  # channels first, tokens last
    result: Tensor = selective_scan_fn(*ins, a, *(tensor.transpose(1, 2).contiguous() for tensor in (b, c)))
    return result.transpose(1, 2)
