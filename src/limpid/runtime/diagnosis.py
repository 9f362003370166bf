"""What this installation consists of and whether it works."""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util

import psutil
import torch

from limpid._version import __version__
from limpid.errors import LimpidError
from limpid.runtime.device import available, has_bfloat16
from limpid.runtime.memory import default_budget
from limpid.weights import manifest

CORE = ("torch", "numpy", "pillow", "opencv-python-headless", "tifffile", "scikit-image", "safetensors", "typer")
OPTIONAL = {
    "numba": "fast",
    "torchvision": "backbones",
    "timm": "backbones",
    "lightning-fabric": "train",
    "tensorboard": "train",
    "torchmetrics": "evaluate",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "ray": "scale",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the diagnosis; ``remedy`` is what to type when it is not ``healthy``."""

    subject: str
    text: str
    healthy: bool = True
    remedy: str = ""


def diagnose() -> list[Finding]:
    """Everything worth knowing, broken things among it; takes no network and downloads nothing."""
    return [
        Finding(subject="limpid", text=f"{__version__}, Python {platform.python_version()}, {platform.platform()}"),
        *_libraries(),
        *_devices(),
        *_weights(),
        *_clashes(),
    ]


def _libraries() -> Iterator[Finding]:
    for name in CORE:
        version = _version(name)
        if version:
            yield Finding(subject=name, text=version)
        else:
            yield Finding(subject=name, text="not installed", healthy=False, remedy="pip install --force-reinstall limpid")
    for name, extra in OPTIONAL.items():
        version = _version(name)
        yield Finding(subject=name, text=version or f"not installed (optional: pip install 'limpid[{extra}]')")


def _devices() -> Iterator[Finding]:
    for name in available():
        fast = "bfloat16 in hardware" if has_bfloat16(name) else "float32"
        yield Finding(subject=f"device {name}", text=f"{fast}, {torch.get_num_threads()} threads" if name == "cpu" else fast)
    memory = psutil.virtual_memory()
    text = f"{memory.available / 1e9:.1f} GB free of {memory.total / 1e9:.1f}; a photo may take {default_budget() / 1e9:.2f} GB"
    yield Finding(subject="memory", text=text)


def _weights() -> Iterator[Finding]:
    for name in manifest.rows():
        try:
            path = manifest.locate(name)
        except LimpidError as error:
            yield Finding(subject=f"weights {name}", text=str(error), healthy=False, remedy="pip install --force-reinstall limpid")
        else:
            yield Finding(subject=f"weights {name}", text=f"{path.stat().st_size / 1e6:.1f} MB, checksum right")


def _clashes() -> Iterator[Finding]:
    if _version("opencv-python") and _version("opencv-python-headless"):
        yield Finding(
            subject="opencv",
            text="opencv-python and opencv-python-headless write the same files and break each other",
            healthy=False,
            remedy="pip uninstall opencv-python opencv-python-headless && pip install opencv-python-headless",
        )
    vision = _version("torchvision")
    if vision and torch.version.cuda is None and "+cpu" not in vision and sys.platform == "linux" and not _has_cuda_runtime():
        yield Finding(
            subject="torchvision",
            text=f"{vision} is a CUDA build beside a CPU-only torch; its import fails in timm, lightning and torchmetrics",
            remedy="limpid works around it; for the others install the CPU build of torchvision that matches torch",
        )


def _has_cuda_runtime() -> bool:
    return util.find_spec("nvidia") is not None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
