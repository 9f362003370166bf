"""What an evaluation ran on and with, as a reader of its numbers needs to know."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import psutil
import torch

from limpid import __version__

_LIBRARIES = ("torch", "numpy", "opencv-python-headless", "scikit-image", "pillow", "torchmetrics", "torchvision")


def machine() -> Mapping[str, str]:
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
