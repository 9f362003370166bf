"""Ray, started for a command or found where it runs, and one thing done there: rows through a pool of workers."""

import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from limpid.errors import LimpidError, MissingExtraError, UsageError
from limpid.runtime.options import EngineOptions

_STORE = 256 * 2**20  # bytes of shared memory for rows, which are small; photos never go through it
_TRIES = 3  # of a row whose worker dies under it
_WAIT = 10.0  # seconds for somebody to answer at an address
_BLOCK = 16  # rows at most that are done again when a worker dies
_BLOCKS = 20_000  # more of them slow the scheduler down


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What workers of a command get: ``workers`` at most, ``threads`` each, ``gpus`` each, and how many share one machine."""

    workers: int
    threads: int
    gpus: float
    beside: int
    local: bool


class ClusterError(LimpidError):
    """Ray itself failed; what was done before is noted in the manifest of the run."""


class Worker(Protocol):
    """What does one row, as text, and never raises for what is wrong with that row alone."""

    def __call__(self, row: str) -> str:
        """Do it."""

    def give_up(self, row: str, reason: str) -> str:
        """What is answered for a row that kills its workers."""


def need_ray() -> None:
    """Import Ray, told to send nothing to anybody and to keep its log to itself. Raises MissingExtraError where it is not there."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("ray", "scale", "--engine ray") from error


@contextmanager
def cluster(options: EngineOptions, device: str, *, quiet: bool) -> Iterator[Cluster]:
    """Ray for as long as the block runs: a cluster of its own on this machine, or the one that ``options.address`` names.

    Raises MissingExtraError without Ray, UsageError when no cluster answers, ClusterError when Ray fails.
    """
    need_ray()
    import ray

    address = options.address or os.environ.get("RAY_ADDRESS") or "local"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    mine = address == "local"
    check_answers(address)
    workers = options.workers or max(1, cores // 2)
    wanted = {"num_cpus": workers + 1, "object_store_memory": _STORE, "include_dashboard": False} if mine else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **wanted)
    except Exception as error:  # Ray raises that very class where its processes do not come up in time
        reason = " ".join(str(error).split())[:160]
        if mine:
            raise ClusterError(f"Ray does not start on this machine ({reason}); it may be too busy: try again") from error
        raise UsageError(f"no Ray cluster answers at {address} ({reason})") from error
    try:
        _quieten(quiet)
        held = ray.cluster_resources()
        gpus = 1.0 if held.get("GPU", 0) and device.startswith(("auto", "cuda")) else 0.0
        if not mine:
            threads = options.threads or 1
            workers = options.workers or max(1, int(held["GPU"] if gpus else (held.get("CPU", 1) - 1) // threads))
            beside = -(-workers // max(1, len([node for node in ray.nodes() if node["Alive"]])))
        else:
            threads, beside = options.threads or max(1, cores // workers), workers
        yield Cluster(workers=workers, threads=threads, gpus=gpus, beside=beside, local=mine)
    finally:
        ray.shutdown()


def check_answers(address: str) -> None:
    """Raise UsageError when nobody listens at ``HOST:PORT``, for which Ray waits many minutes; other addresses are left to Ray."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_WAIT).close()
    except OSError as error:
        raise UsageError(f"no Ray cluster answers at {address} ({error.strerror or error})") from error


def _quieten(quiet: bool) -> None:
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = not quiet and sys.stderr is not None and sys.stderr.isatty()
    context.print_on_execution_start = False


class _Attempts:
    """Which rows are at work, and how often they were begun: what kills its worker every time is given up."""

    def __init__(self) -> None:
        self.begun: dict[str, int] = {}

    def begin(self, key: str) -> int:
        self.begun[key] = self.begun.get(key, 0) + 1
        return self.begun[key]

    def end(self, key: str) -> None:
        self.begun.pop(key, None)


class _Pooled:
    """One worker as Ray calls it: blocks of rows in, a text per row out."""

    def __init__(self, make: Callable[[], Worker], attempts: Any) -> None:
        self.worker, self.attempts = make(), attempts

    def __call__(self, block: dict[str, Any]) -> dict[str, list[str]]:
        return {"outcome": [self._one(str(key), str(row)) for key, row in zip(block["key"], block["row"], strict=True)]}

    def _one(self, key: str, row: str) -> str:
        import ray

        if ray.get(self.attempts.begin.remote(key)) > _TRIES:
            return self.worker.give_up(row, f"its worker died {_TRIES} times over it, most likely for want of memory")
        done = self.worker(row)
        self.attempts.end.remote(key)
        return done


def run_rows(rows: Sequence[tuple[str, str]], make: Callable[[], Worker], where: Cluster) -> Iterator[str]:
    """What workers answer to rows, as it comes; a row is a key of its own and a text. Raises ClusterError.

    ``make``: builds a worker in its process, small enough to be sent. A worker that dies is replaced, its block done again.
    """
    import pyarrow as pa
    import ray

    per_block = max(1, min(_BLOCK, len(rows) // (4 * where.workers)), -(-len(rows) // _BLOCKS))
    keys, texts = zip(*rows, strict=True)
    table = pa.table({"key": list(keys), "row": list(texts)})
    blocks = [table.slice(start, per_block) for start in range(0, len(rows), per_block)]
    attempts = ray.remote(_Attempts).options(num_cpus=0).remote()
    least = where.workers if where.local else 1  # a full pool on a cluster without free processors would wait for ever
    done = ray.data.from_arrow(blocks).map_batches(
        _Pooled,
        fn_constructor_args=(make, attempts),
        batch_size=None,
        compute=ray.data.ActorPoolStrategy(min_size=least, max_size=where.workers),
        num_cpus=1 if where.local else where.threads,
        num_gpus=where.gpus or None,
    )
    try:
        for batch in done.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield from batch["outcome"].to_pylist()
    except ray.exceptions.RayError as error:  # a worker cannot be made, or the cluster is gone
        last = str(error).strip().splitlines()[-1][:300] if str(error).strip() else type(error).__name__
        raise ClusterError(f"the workers cannot go on ({last}); what is done is noted: mend that, then --resume") from error
