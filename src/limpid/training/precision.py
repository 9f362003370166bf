"""Mixed precision that leaves the photo alone: eight bits of mantissa would quantise it before the network has seen it."""

from typing import Any

import torch
from lightning_fabric.plugins import MixedPrecision, Precision


class Autocast(MixedPrecision):
    """Fabric's autocast, with gradient scaling for float16, but inputs enter the forward in float32.

    Networks that add what they find to the photo would otherwise return the photo rounded to bfloat16.
    """

    def convert_input(self, data: Any) -> Any:
        """Inputs as they are; autocast converts them where a layer computes in low precision."""
        return data


def plugin(precision: str, device: str) -> Precision | None:
    """What Fabric takes as precision plugin: ``bfloat16`` and ``float16`` by autocast, None for ``float32``.

    ``device``: ``auto``, ``cpu``, ``cuda``, ``gpu`` or ``mps``.
    """
    if precision == "float32":
        return None
    kind = {"auto": "cuda" if torch.cuda.is_available() else "cpu", "gpu": "cuda"}.get(device, device)
    return Autocast("bf16-mixed" if precision == "bfloat16" else "16-mixed", kind)
