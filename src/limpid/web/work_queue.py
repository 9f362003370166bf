"""One photo at a time, a bounded number waiting, each of which can be given up."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from limpid.errors import BusyError
from limpid.web.stopping import check, stoppable

T = TypeVar("T")


class Job(Generic[T]):
    """Work that was handed in. ``future``: its result."""

    def __init__(self, function: Callable[[], T], pool: ThreadPoolExecutor) -> None:
        self._stop = threading.Event()
        self._function = function
        self.future: Future[T] = pool.submit(self._run)

    def give_up(self) -> None:
        """Nobody waits for it: it is not begun, or it stops soon."""
        self._stop.set()
        self.future.cancel()

    def _run(self) -> T:
        with stoppable(self._stop):
            check()
            return self._function()


class WorkQueue:
    """One thread for all work; ``length``: jobs that may wait beside the one that runs."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="limpid-work")
        self._jobs: set[Job[Any]] = set()
        self._guard = threading.Lock()

    @property
    def inside(self) -> int:
        """Jobs that run or wait."""
        return len(self._jobs)

    def submit(self, function: Callable[[], T]) -> Job[T]:
        """Queue ``function``; raises BusyError when it is full."""
        with self._guard:
            if len(self._jobs) > self.length:
                raise BusyError(f"{self.length} photos are waiting already; try again in a moment")
            job = Job(function, self._pool)
            self._jobs.add(job)
        job.future.add_done_callback(lambda _: self._leave(job))
        return job

    def run(self, function: Callable[[], T]) -> T:
        """The result of ``function``, for a caller that is a thread of its own; raises BusyError and what it raises."""
        return self.submit(function).future.result()

    def close(self) -> None:
        """Give all work up."""
        for job in tuple(self._jobs):
            job.give_up()
        self._pool.shutdown(cancel_futures=True)

    def _leave(self, job: Job[T]) -> None:
        with self._guard:
            self._jobs.discard(job)
