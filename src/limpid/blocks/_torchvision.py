"""Makes torchvision importable beside a torch that it was not built for; called before anything that imports it.

timm, torchmetrics, lightning, lpips and piq import torchvision. Its PyPI wheel is a CUDA build: beside a CPU-only torch
its library does not load, and its import then stops at a fake kernel for an operator that was never defined. Defining the
schemas of the two operators lets the import pass; their kernels stay absent (``torchvision.ops.nms`` raises).
"""

import sys
from functools import cache
from importlib import import_module, util
from typing import Literal

import torch

State = Literal["absent", "healthy", "mended"]

_BROKEN = "operator torchvision::nms does not exist"
_SCHEMAS = tuple(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms"))
_definitions: list[torch.library.Library] = []  # operators live as long as the library object that defines them


@cache
def mend() -> State:
    """Import torchvision, whatever it takes, and say what was found; failures other than the known one pass through."""
    if util.find_spec("torchvision") is None:
        return "absent"
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if _BROKEN not in str(error):
            raise
    else:
        return "healthy"  # defining the operators now would clash with the real ones
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    _definitions.append(library)
    import_module("torchvision")
    return "mended"
