"""Promises of the selective scan, one thread, 128 channels, 16 states, against the published Python loop.

The compiled loop is at least 20 times as fast at 16,384 tokens forward, at least 15 times at 1,024 tokens forward and backward, and
its memory grows in proportion to the tokens; mdsrnet_l takes at most twice the time of dsrnet_l on a 256 × 256 photo.

Run: python benchmarks/scan.py. Prints JSON. The baseline is written here as published: decays and inputs of all tokens at once,
then a loop that slices them. Times are CPU seconds of this process (the machine may be shared), the least of a few rounds, arms by
turns; memory is how far the resident set of a process of its own grows (Linux).
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid import create_model
from limpid.blocks.scan.selective import selective_scan

CHANNELS, STATES = 128, 16
MEMORY_LENGTHS = (16_384, 32_768, 65_536)


def published_loop(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Contract of ``selective_scan``."""
    decays = torch.exp(torch.einsum("ble,en->blen", delta, a))
    inputs = torch.einsum("ble,bln,ble->blen", delta, b, u)
    state = torch.zeros_like(decays[:, 0])
    outputs = []
    for token in range(u.shape[1]):
        state = decays[:, token] * state + inputs[:, token]
        outputs.append(torch.einsum("ben,bn->be", state, c[:, token]))
    return torch.stack(outputs, dim=1)


def arguments(length: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(1, length, *shape, generator=generator)

    a = -torch.arange(1.0, STATES + 1).repeat(CHANNELS, 1)
    return [normal(CHANNELS), F.softplus(normal(CHANNELS) - 3), a, normal(STATES), normal(STATES)]


def forward(scan: Callable[..., Tensor], length: int) -> Callable[[], object]:
    ins = arguments(length)

    def run() -> object:
        with torch.inference_mode():
            return scan(*ins)

    return run


def forward_backward(scan: Callable[..., Tensor], length: int) -> Callable[[], object]:
    ins = [tensor.requires_grad_() for tensor in arguments(length)]
    return lambda: torch.autograd.grad(scan(*ins).square().sum(), ins)


def least_seconds(arms: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """CPU seconds of each arm, the least over the rounds."""
    times: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, run in arms.items():
            started = time.process_time()
            run()
            times[name].append(time.process_time() - started)
    return {name: min(values) for name, values in times.items()}


def compiled(*ins: Tensor) -> Tensor:
    return selective_scan(*ins, backend="numba")


def chunked(*ins: Tensor) -> Tensor:
    return selective_scan(*ins, backend="chunked")


def compare(
    prepare: Callable[[Callable[..., Tensor], int], Callable[[], object]], length: int, promised: float
) -> dict[str, object]:
    arms = {
        name: prepare(scan, length) for name, scan in {"published": published_loop, "numba": compiled, "chunked": chunked}.items()
    }
    seconds = least_seconds(arms, 5)
    ratio = seconds["published"] / seconds["numba"]
    rounded = {name: float(f"{value:.3g}") for name, value in seconds.items()}
    return {"cpu_seconds": rounded, "numba_times_faster": round(ratio, 1), "promised": promised, "kept": ratio >= promised}


def memory() -> dict[str, object]:
    """Peak growth of forward and backward at several lengths, in bytes per token; constant when memory is linear."""
    grown = {}
    for length in MEMORY_LENGTHS:
        command = [sys.executable, __file__, "--peak", str(length)]
        grown[length] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    per_token = {length: round(value / length) for length, value in grown.items()}
    kept = 0 < per_token[MEMORY_LENGTHS[-1]] <= 1.2 * per_token[MEMORY_LENGTHS[0]]
    return {"bytes_per_token_forward_backward": per_token, "states_would_take": 4 * CHANNELS * STATES, "kept": kept}


def print_peak(length: int) -> None:
    """Growth of the resident set over what is there before, whose earlier peak Linux is told to forget."""
    forward_backward(compiled, 64)()
    run = forward_backward(compiled, length)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    run()
    print(resident("VmHWM") - before)


def resident(name: str) -> int:
    """Bytes of a line of /proc/self/status."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])


def network(size: str) -> Callable[[], object]:
    model = create_model("dsrnet", size).eval().to(memory_format=torch.channels_last)
    photo = torch.rand(1, 3, 256, 256).to(memory_format=torch.channels_last)

    def run(side: int = 256) -> object:
        with torch.inference_mode():
            return model(photo[..., :side, :side])

    run(32)
    return run


def networks() -> dict[str, object]:
    seconds = least_seconds({size: network(size) for size in ("l", "mdsrnet_l")}, 2)
    ratio = seconds["mdsrnet_l"] / seconds["l"]
    return {"cpu_seconds": {name: round(value, 1) for name, value in seconds.items()}, "ratio": round(ratio, 2), "kept": ratio <= 2}


def main() -> None:
    torch.set_num_threads(1)
    if "--peak" in sys.argv:
        print_peak(int(sys.argv[2]))
        return
    for prepare in (forward, forward_backward):
        prepare(compiled, 64)()  # compile, or load what was compiled
    report = {
        "forward_16384": compare(forward, 16_384, 20),
        "forward_backward_1024": compare(forward_backward, 1024, 15),
        "memory": memory(),
        "mdsrnet_l_against_dsrnet_l_256x256": networks(),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
