"""Which device and which arithmetic a network runs on."""

from contextlib import AbstractContextManager
from functools import cache

import torch

from limpid.errors import DeviceError, UnknownNameError
from limpid.layers.network import Needs

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def available() -> list[str]:
    """Devices of this machine, fastest first; ``cpu`` is always the last."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found.append("xpu")
    return [*found, "cpu"]


def choose_device(wanted: str) -> torch.device:
    """The device of that name; ``auto`` is the fastest present.

    Raises DeviceError naming what there is when the device is absent or unknown.
    """
    if wanted == "auto":
        return torch.device(available()[0])
    kind = wanted.partition(":")[0]
    if kind not in available():
        raise DeviceError(f"device {wanted!r} is not available on this machine; use one of: auto, {', '.join(available())}")
    return torch.device(wanted)


def choose_precision(wanted: str, device: torch.device, needs: Needs) -> str:
    """Name of the arithmetic: ``auto`` is the fastest that the network permits and the device has in hardware.

    Raises UnknownNameError for an unknown name, DeviceError for one that the network does not keep its quality in.
    """
    if wanted == "auto":
        fast = "bfloat16"
        return fast if fast in needs.precisions and has_bfloat16(device.type) else "float32"
    if wanted not in PRECISIONS:
        raise UnknownNameError("precision", wanted, ("auto", *PRECISIONS))
    if wanted not in needs.precisions:
        raise DeviceError(f"this network keeps its quality only in {', '.join(needs.precisions)}; got --precision {wanted}")
    return wanted


@cache
def has_bfloat16(kind: str) -> bool:
    """Whether a kind of device multiplies bfloat16 in hardware, so that it is faster than float32."""
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def arithmetic(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Context in which a forward runs in that precision (autocast; float32 leaves everything as it is)."""
    dtype = PRECISIONS[precision]
    context: AbstractContextManager[None] = torch.autocast(device.type, dtype, enabled=dtype is not torch.float32)
    return context
