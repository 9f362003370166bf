"""Small networks as checkpoints, and as ONNX files where the extra is installed."""

from pathlib import Path
from typing import Any

import pytest

from limpid import catalogue
from limpid.checkpoints import file
from network_samples import tiny

pytest.importorskip("onnxscript", reason="export needs `pip install 'limpid[onnx]'`")
pytest.importorskip("onnxruntime", reason="export needs `pip install 'limpid[onnx]'`")


def checkpoint(name: str, folder: Path, **parts: Any) -> Path:
    """The tiny network ``name`` in a file, with settings ``parts`` beside those of its size."""
    path = folder / f"{name}.safetensors"
    settings = {**catalogue.find("models", name).sizes["tiny"], **parts}
    file.save(path, file.Checkpoint(model=name, settings=settings, tensors=tiny(name, **parts).state_dict(), notes={}))
    return path
