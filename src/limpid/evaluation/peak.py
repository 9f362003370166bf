"""How much memory a piece of work adds, watched while it runs."""

import threading
from types import TracebackType

import psutil
import torch

_PERIOD = 0.002  # seconds between looks; a photo takes at least some hundredths


class Peak:
    """Largest resident set while the block runs above what it was before; on a GPU, also the largest allocation there. Bytes."""

    def __init__(self, device: torch.device) -> None:
        self._process, self._gpu = psutil.Process(), device if device.type == "cuda" else None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = 0

    def __enter__(self) -> "Peak":
        self._start = self._highest = self._process.memory_info().rss
        if self._gpu is not None:
            torch.cuda.reset_peak_memory_stats(self._gpu)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._look()
        self._done.set()
        self._thread.join()
        self.bytes = max(0, self._highest - self._start)
        if self._gpu is not None:
            self.bytes += torch.cuda.max_memory_allocated(self._gpu)

    def _watch(self) -> None:
        while not self._done.wait(_PERIOD):
            self._look()

    def _look(self) -> None:
        self._highest = max(self._highest, self._process.memory_info().rss)
