"""All tasks of an evaluation, one after another or in processes; what is done is handed over image by image."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context

import cv2
import torch

from limpid.errors import NoRoomError, UsageError
from limpid.evaluation.methods import Method
from limpid.evaluation.results import Score
from limpid.evaluation.scoring import Rules, ScoringTask, compute

Done = tuple[ScoringTask, list[Score]]

_Work = Callable[[int], list[Score]]
_LOOK = 1.0  # seconds between a worker's looks for its parent

_work: _Work | None = None  # what a worker process does; forked with it, so that networks are never copied


def run(tasks: Sequence[ScoringTask], candidates: Mapping[str, Method], rules: Rules, *, jobs: int = 1) -> Iterator[Done]:
    """Tasks with their scores as they are done; with ``jobs`` above 1 in that many processes, which share the networks' memory.

    Raises UsageError where processes cannot be forked or a network does not run on the CPU, and NoRoomError when the system ended
    a process.
    """
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        yield from ((task, compute(task, candidates, rules)) for task in tasks)
        return
    if "fork" not in get_all_start_methods() or any(candidate.info.device not in ("", "cpu") for candidate in candidates.values()):
        raise UsageError("--jobs needs processes that share the processor; leave it out here or add --device cpu")
    work: _Work = lambda place: compute(tasks[place], candidates, rules)  # noqa: E731
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("fork"), initializer=_begin, initargs=(work, os.getpid()))
    try:
        places = {pool.submit(_do, place): place for place in range(len(tasks))}
        for done in as_completed(places):
            yield tasks[places[done]], done.result()
    except BrokenProcessPool as fault:
        raise NoRoomError(
            "a process of --jobs was ended by the system, most likely for want of memory; lower --jobs or --max-memory and run the"
            " same command again: what was computed is kept"
        ) from fault
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(work: _Work, parent: int) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)  # 1 would end threads of the parent, which are not here, and wait for them for ever
    threading.Thread(target=_outlive_nobody, args=(parent,), daemon=True).start()


def _outlive_nobody(parent: int) -> None:
    """End the process when its parent was killed."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)


def _do(place: int) -> list[Score]:
    assert _work is not None
    return _work(place)
