"""The batches of a training, in an order that depends on the step alone: any number of workers, processes and restarts agree."""

import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from limpid.data.collate import collate
from limpid.data.stream import Stream
from limpid.errors import LimpidError, SettingError
from limpid.layers.batch import Batch, Kind
from limpid.layers.task import Task


@dataclass(frozen=True)
class _Failure:
    """An error on its way out of a worker: exceptions lose their class when they are pickled, this does not."""

    kind: type[LimpidError]
    text: str
    trace: str

    def error(self) -> LimpidError:
        """The error as it was raised, of the same class and text; a note holds the trace of the worker."""
        error = self.kind.__new__(self.kind, self.text)  # some classes make their text from other arguments
        error.add_note(self.trace)
        return error


@dataclass(frozen=True)
class _Parcel:
    """A batch on its way out of a worker, all photos in one shared tensor: each tensor costs the trainer a handshake."""

    task: Task
    photos: Tensor
    known: dict[str, list[bool]]
    gain: list[float]
    kinds: tuple[Kind, ...]
    names: tuple[str, ...]
    hint: Tensor | None
    sources: tuple[str, ...]

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Copy a batch into shared memory."""
        photos = torch.empty((1 + len(batch.truth), *batch.input.shape)).share_memory_()
        torch.stack([batch.input, *batch.truth.values()], out=photos)
        known = {name: mask.tolist() for name, mask in batch.known.items()}
        hint = None if batch.hint is None else batch.hint.share_memory_()
        return cls(batch.task, photos, known, batch.gain.tolist(), batch.kinds, batch.names, hint, batch.sources)

    def batch(self, *, pin: bool) -> Batch:
        """The batch again; its photos stay in the shared memory, or are copied to pinned memory."""
        photos = self.photos.pin_memory() if pin else self.photos
        return Batch(
            task=self.task,
            input=photos[0],
            truth=dict(zip(self.known, photos[1:], strict=True)),
            known={name: torch.tensor(mask) for name, mask in self.known.items()},
            kinds=self.kinds,
            gain=torch.tensor(self.gain),
            names=self.names,
            hint=self.hint.pin_memory() if pin and self.hint is not None else self.hint,
            sources=self.sources,
        )


_Loaded = Batch | _Parcel | _Failure


class _Batches(Dataset[_Loaded]):
    """The stream, asked for a whole batch at a time."""

    def __init__(self, stream: Stream, task: Task) -> None:
        self.stream, self.task = stream, task

    def __getitem__(self, items: tuple[int, ...]) -> _Loaded:
        try:
            batch = collate([self.stream[item] for item in items], self.task)
            return batch if get_worker_info() is None else _Parcel.of(batch)
        except LimpidError as error:
            return _Failure(type(error), str(error), traceback.format_exc())
        except Exception as error:
            return _Failure(LimpidError, f"{type(error).__name__}: {error}", traceback.format_exc())


@dataclass(frozen=True, kw_only=True)
class Places:
    """Which items make up which batch: step s takes items s·n … (s + 1)·n − 1, n = batch·world·accumulate.

    Micro-batch m of process ``rank`` takes ``batch`` of them from s·n + (m·world + rank)·batch on. What is left of ``items`` after
    the last whole step is not used.
    """

    start_step: int
    items: int
    batch: int
    rank: int
    world: int
    accumulate: int

    def __len__(self) -> int:
        return max(0, self.items // self._per_step - self.start_step) * self.accumulate

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for step in range(self.start_step, self.items // self._per_step):
            for micro in range(self.accumulate):
                first = step * self._per_step + (micro * self.world + self.rank) * self.batch
                yield tuple(range(first, first + self.batch))

    @property
    def _per_step(self) -> int:
        return self.batch * self.world * self.accumulate


class Batches(Iterator[list[Batch]]):
    """Steps in their order, each the micro-batches of this process; made by ``batches``.

    ``waited``: seconds that the caller has waited for data so far. A context manager: leaving it, ``close`` and the end of the
    data stop the workers. Raises what went wrong while an item was made, in whichever process; LimpidError for a worker that died.
    """

    def __init__(self, loader: "DataLoader[_Loaded]", accumulate: int, *, pin: bool) -> None:
        self.waited = 0.0
        self._accumulate, self._pin = accumulate, pin
        self._before = _ears()
        try:
            self._loaded: Iterator[_Loaded] | None = iter(loader)
            _listen(signal.SIG_DFL)
        except BaseException:
            _listen(self._before)
            raise
        # taking a batch over from a worker costs milliseconds of patience: a thread does it while the trainer computes
        self._helper = ThreadPoolExecutor(1, "limpid-data") if loader.num_workers else None
        self._coming = self._helper.submit(_fetch, self._loaded, self._pin) if self._helper else None

    def __next__(self) -> list[Batch]:
        begin = time.perf_counter()
        try:
            return [self._take() for _ in range(self._accumulate)]
        except (LimpidError, StopIteration):
            self.close()
            raise
        finally:
            self.waited += time.perf_counter() - begin

    def _take(self) -> Batch:
        if self._loaded is None:
            raise StopIteration
        found = self._coming.result() if self._coming else _fetch(self._loaded, self._pin)
        if found is None:
            raise StopIteration
        if isinstance(found, _Failure):
            raise found.error()
        if self._helper:
            self._coming = self._helper.submit(_fetch, self._loaded, self._pin)
        return found

    def close(self) -> None:
        """Stop the workers; further steps are refused."""
        if self._helper:
            self._helper.shutdown(cancel_futures=True)
        self._loaded = self._coming = None  # the loader's iterator stops its workers when nobody holds it
        _listen(self._before)
        self._before = None  # closing once more leaves handlers that came later alone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def batches(
    stream: Stream,
    *,
    task: Task,
    start_step: int = 0,
    batch: int = 1,
    rank: int = 0,
    world: int = 1,
    accumulate: int = 1,
    workers: int = 0,
    pin: bool = False,
) -> Batches:
    """The steps of a training from ``start_step`` on, for process ``rank`` of ``world``, until the stream ends.

    ``layers``: those of the network, see ``collate``; ``batch``: photos per micro-batch of one process; ``accumulate``:
    micro-batches per step; ``workers``: processes that make items, 0 makes them here; ``pin``: photos of workers go to pinned
    memory, from which a CUDA device fetches them while it computes. Raises SettingError for numbers that make no sense.
    """
    if min(batch, world, accumulate) < 1 or min(workers, start_step) < 0 or not 0 <= rank < world:
        raise SettingError(
            f"batch, world and accumulate start at 1, workers and steps at 0, and rank lies below world;"
            f" got {batch}, {world}, {accumulate}, {workers}, {start_step} and {rank}"
        )
    places = Places(start_step=start_step, items=len(stream), batch=batch, rank=rank, world=world, accumulate=accumulate)
    loader = DataLoader(
        _Batches(stream, task),
        sampler=places,
        batch_size=None,  # an item is a whole batch
        collate_fn=_as_it_is,
        num_workers=workers,
        worker_init_fn=_settle,
        generator=torch.Generator(),  # else it draws from the global one
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
    )
    return Batches(loader, accumulate, pin=pin)


def _fetch(loaded: Iterator[_Loaded], pin: bool) -> Batch | _Failure | None:
    """The next batch, None after the last one."""
    try:
        found = next(loaded, None)
    except (RuntimeError, OSError, EOFError) as error:  # torch's words for a dead worker, or those of its broken connection
        return _death(error)
    return found.batch(pin=pin) if isinstance(found, _Parcel) else found


def _as_it_is(loaded: Any) -> Any:
    return loaded


def _settle(worker: int) -> None:
    """Prepare a worker: one thread, and no ears for signals, which the trainer alone answers (a terminal sends them to all).

    Torch sees to its own threads. The pools of the parent did not survive the fork, so OpenCV must not ask for one. The thread
    that hands batches over must not wait 5 ms for its turn, as it would by default while an item is made.
    """
    sys.setswitchinterval(0.0005)
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _ears() -> Any:
    """What hears of dead children now; None where there is no such signal."""
    return signal.getsignal(signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else None


def _listen(handler: Any) -> None:
    """Let ``handler`` hear of dead children, where this thread may say so.

    Torch's own, installed with the first workers and left behind for good, would raise wherever the main thread happens to be;
    ``_fetch`` learns of a death without it.
    """
    if hasattr(signal, "SIGCHLD") and handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, handler)


def _death(error: Exception) -> _Failure:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    text = f"a process that makes items died ({said}); often memory or /dev/shm ran out: lower data.workers or data.batch"
    return _Failure(LimpidError, text, "")
