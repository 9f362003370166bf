"""All backends of the selective scan compute one recurrence, forward and backward."""

import threading

import pytest
import torch

from limpid.blocks.scan import compiled
from limpid.blocks.scan.selective import selective_scan
from limpid.errors import DeviceError, ShapeError, UnknownNameError

BACKENDS = ["chunked", "numba"]


def arguments(length, *, batch=2, channels=5, states=3, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    u, delta = normal(batch, length, channels), torch.nn.functional.softplus(normal(batch, length, channels) - 1)
    a = -torch.exp(normal(channels, states))
    return u, delta, a, normal(batch, length, states), normal(batch, length, states)


def test_one_state_has_a_closed_form():
    """Constant Δ, b and c: y_t is a geometric series."""
    length, step, rate = 40, 0.3, -0.7
    ones = torch.ones(1, length, 1, dtype=torch.float64)
    expected = (
        step
        * (1 - torch.exp(torch.arange(1, length + 1) * torch.tensor(step * rate).double()))
        / (1 - torch.exp(torch.tensor(step * rate).double()))
    )
    for backend in ("reference", *BACKENDS):
        y = selective_scan(ones, step * ones, torch.full((1, 1), rate).double(), ones, ones, backend=backend)
        assert torch.allclose(y[0, :, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 200])
@pytest.mark.parametrize("channels", [1, 33, 130])
def test_backends_agree_with_the_loop(backend, length, channels):
    ins = arguments(length, channels=channels)
    expected = selective_scan(*ins, backend="reference")
    assert torch.allclose(selective_scan(*ins, backend=backend), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_single_precision_stays_near_double(backend):
    """Tolerance: what the spec measured of every backend, 2e-6 to 6e-6 at 4,096 tokens."""
    ins = arguments(4096, channels=8, states=16)
    single = selective_scan(*(tensor.float() for tensor in ins), backend=backend)
    double = selective_scan(*ins, backend="chunked")
    assert single.dtype == torch.float32
    assert float((single - double).abs().max() / double.abs().max()) < 6e-6


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("length", [1, 6, 130])
def test_gradients_are_exact(backend, length):
    ins = [tensor.requires_grad_() for tensor in arguments(length, channels=3, states=2)]
    assert torch.autograd.gradcheck(lambda *tensors: selective_scan(*tensors, backend=backend), ins, fast_mode=length > 6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_agree_with_those_of_the_loop(backend):
    ins = [tensor.requires_grad_() for tensor in arguments(150, channels=140, states=4)]
    outer = torch.randn(2, 150, 140, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.autograd.grad((selective_scan(*ins, backend="reference") * outer).sum(), ins)
    found = torch.autograd.grad((selective_scan(*ins, backend=backend) * outer).sum(), ins)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("backend", ["reference", *BACKENDS])
def test_the_state_is_single_precision_whatever_comes(backend):
    """In bfloat16 exp(−0.001) is 1: such a state would never decay."""
    length = 600
    ones = torch.ones(1, length, 1, dtype=torch.bfloat16)
    rate = torch.full((1, 1), -1.0, dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = selective_scan(ones, 0.001 * ones, rate, ones, ones, backend=backend)
    step = float((0.001 * ones)[0, 0, 0])
    expected = step * sum(torch.exp(torch.tensor(-step * k)) for k in range(length))
    assert y.dtype == torch.float32
    assert float(y[0, -1, 0]) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_extreme_decays_neither_overflow_nor_give_nan(backend):
    u, delta, a, b, c = arguments(100, dtype=torch.float32)
    y = selective_scan(u, 1e4 * delta, 1e4 * a, b, c, backend=backend)
    assert bool(torch.isfinite(y).all())
    assert torch.allclose(y, (b * c).sum(-1, keepdim=True) * 1e4 * delta * u, rtol=1e-4, atol=1e-2)  # nothing is remembered


def test_threads_share_the_work_and_change_nothing(monkeypatch):
    ins = [tensor.requires_grad_() for tensor in arguments(70, channels=300, dtype=torch.float32)]
    alone = selective_scan(*ins, backend="numba")
    alone_grads = torch.autograd.grad(alone.square().sum(), ins)
    used = set()
    loop = compiled.scan_forward
    monkeypatch.setattr(compiled, "scan_forward", lambda *values: (used.add(threading.get_ident()), loop(*values)))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    together = selective_scan(*ins, backend="numba")
    grads = torch.autograd.grad(together.square().sum(), ins)
    assert threading.get_ident() not in used
    assert torch.equal(alone, together)
    assert all(torch.equal(one, other) for one, other in zip(alone_grads, grads, strict=True))


def test_states_are_stored_for_training_only(monkeypatch):
    stored = []
    loop = compiled.scan_forward
    monkeypatch.setattr(compiled, "scan_forward", lambda *values: (stored.append(values[6].size), loop(*values)))
    ins = [tensor.requires_grad_() for tensor in arguments(70)]
    with torch.no_grad():
        selective_scan(*ins, backend="numba")
    assert set(stored) == {0}
    selective_scan(*ins, backend="numba")
    assert max(stored) > 0


def test_what_does_not_fit_is_refused():
    u, delta, a, b, c = arguments(4)
    with pytest.raises(ShapeError, match="delta must be"):
        selective_scan(u, delta[:, 1:], a, b, c)
    with pytest.raises(ShapeError, match="c must be"):
        selective_scan(u, delta, a, b, c[..., :1])
    with pytest.raises(ShapeError, match="none of them 0"):
        selective_scan(u[:, :0], delta[:, :0], a, b[:, :0], c[:, :0])
    with pytest.raises(UnknownNameError, match="did you mean 'chunked'"):
        selective_scan(u, delta, a, b, c, backend="chunk")
    with pytest.raises(DeviceError, match="chunked"):
        selective_scan(*(tensor.to("meta") for tensor in (u, delta, a, b, c)), backend="numba")
