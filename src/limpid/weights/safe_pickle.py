"""What a pickle asks for, read without running it, and the short list of what weights may ask for."""

import pickletools
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import torch

_WEIGHTS = re.compile(
    r"collections\.OrderedDict"
    r"|torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|parameter)"
    r"|torch\.nn\.parameter\.Parameter|torch\._tensor\._rebuild_from_type_v2|torch\.(Size|Tensor|device)"
    r"|torch(\.storage)?\.\w*Storage|torch\.(float|double|half|bfloat|int|uint|long|short|bool)\w*"
    r"|_codecs\.encode"  # how protocol 2 writes the bytes of a number
    r"|numpy\.(_core|core)\.multiarray\.scalar|numpy\.dtype|numpy\.dtypes\.(Float32|Float64|Int64)DType"
)
_MODULES = {"posix": "os", "nt": "os", "__builtin__": "builtins"}
_PUTS = {"BINPUT", "LONG_BINPUT", "PUT"}
_GETS = {"BINGET", "LONG_BINGET", "GET"}


def asked_for(stream: IO[bytes], pickles: int = 1) -> list[str]:
    """Globals, as ``module.name``, that the next ``pickles`` pickles of a stream ask for, in their order; nothing runs.

    Raises ValueError when the bytes are no pickle or end early.
    """
    found = [name for _ in range(pickles) for name in _globals(stream)]
    return list(dict.fromkeys(found))


def refused(names: list[str]) -> list[str]:
    """Those that weights have no business with."""
    return [name for name in names if not _WEIGHTS.fullmatch(name)]


def spoken(name: str) -> str:
    """A global as Python programmers know it: ``posix.system`` is ``os.system``, ``__builtin__.eval`` is ``builtins.eval``."""
    module, _, rest = name.partition(".")
    return f"{_MODULES[module]}.{rest} ({name})" if module in _MODULES else name


def permitted() -> list[Any]:
    """What ``torch.load`` must be told to accept beyond tensors: NumPy's numbers, under both names that NumPy wrote them."""
    from numpy._core.multiarray import scalar

    kinds = [type(np.dtype(kind)) for kind in ("float32", "float64", "int64")]
    return [(scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar"), np.dtype, *kinds]


def load(source: Any, *, mapped: bool) -> Any:
    """What ``torch.save`` wrote to a path, on the CPU, by torch's restricted unpickler; ``mapped``: leave tensors on the disk."""
    with torch.serialization.safe_globals(permitted()):
        return torch.load(source, map_location="cpu", weights_only=True, mmap=mapped or None)


def _globals(stream: IO[bytes]) -> Iterator[str]:
    """Follows just enough of the stack to name what ``STACK_GLOBAL`` takes from it."""
    strings: list[str] = []
    memo: dict[Any, str] = {}
    for operation, argument, _ in pickletools.genops(stream):
        if operation.name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".", 1)
        elif operation.name == "STACK_GLOBAL":
            yield ".".join(strings[-2:])
        elif operation.name == "MEMOIZE":
            memo[len(memo)] = strings[-1] if strings else ""
        elif operation.name in _PUTS:
            memo[argument or 0] = strings[-1] if strings else ""
        elif operation.name in _GETS:
            strings.append(memo.get(argument or 0, "?"))
        elif isinstance(argument, str):
            strings.append(argument)
