"""What an evaluation ran on and with, as a reader of its numbers needs to know."""

import os
import platform
import threading
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType

import psutil
import torch

from limpid._version import __version__

_LIBRARIES = ("torch", "numpy", "opencv-python-headless", "scikit-image", "pillow", "torchmetrics", "torchvision")


def environment() -> Mapping[str, str]:
    """Processor, memory, accelerator and system, in words."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "system": platform.platform(terse=True),
        "processor": f"{_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads used",
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "GPU": gpu,
    }


def versions() -> Mapping[str, str]:
    """Versions of this package and of the libraries that its numbers depend on."""
    found = {"limpid": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


_PERIOD = 0.002  # seconds between looks; a photo takes at least some hundredths


class Peak:
    """``bytes``: largest resident set while the block runs above what it was before; on a GPU, also the largest allocation there.

    ``highest``: that resident set itself.
    """

    def __init__(self, device: torch.device) -> None:
        self._process, self._gpu = psutil.Process(), device if device.type == "cuda" else None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = self.highest = 0

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
        self.highest = self._highest
        self.bytes = max(0, self._highest - self._start)
        if self._gpu is not None:
            self.bytes += torch.cuda.max_memory_allocated(self._gpu)

    def _watch(self) -> None:
        while not self._done.wait(_PERIOD):
            self._look()

    def _look(self) -> None:
        self._highest = max(self._highest, self._process.memory_info().rss)
