"""What a pickle asks for, read without running it, and the short list of what a file of weights may ask for.

Tensors are rebuilt by torch's restricted unpickler. What training code keeps beside them (counters, options, NumPy's numbers,
paths) is opened as plain data by stand-ins of ours, so that nothing of the classes that it names is imported or called.
"""

import pickletools
import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING  # the names of Python 2, which torch.save writes and torch.load undoes
from collections.abc import Iterable, Iterator
from enum import Enum
from importlib import import_module
from typing import IO, Any

import numpy as np
import torch

MOST_OPERATIONS = 600_000
"""A pickle with more is refused; the largest training state of a published network takes 250,000."""

_WEIGHTS = re.compile(
    r"collections\.(OrderedDict|Counter)|builtins\.(set|complex)"
    r"|torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|parameter)"
    r"|torch\.nn\.parameter\.Parameter|torch\._tensor\._rebuild_from_type_v2|torch\.(Size|Tensor|device)"
    r"|torch(\.storage)?\.\w*Storage|torch\.(float|double|half|bfloat|int|uint|long|short|bool)\w*"
    r"|_codecs\.encode"  # how protocol 2 writes the bytes of a number
)
_ENUMS = ("http", "inspect", "re", "signal", "socket", "ssl", "uuid")  # where the standard library keeps those that are stored
_EXPANDING = re.compile(r"(hex|base64|uu|quopri|quotedprintable|bz2|zip|zlib|rot13|punycode|idna)(codec)?")
"""Codecs with which a text grows without end, or takes hours; what saves numbers takes none of them."""

_MODULES = {"posix": "os", "nt": "os"}
_PUTS = {"BINPUT", "LONG_BINPUT", "PUT"}
_GETS = {"BINGET", "LONG_BINGET", "GET"}


class TooLargeError(ValueError):
    """A pickle holds more than any file of weights does."""


class Attributes(dict[str, Any]):
    """An object that is nothing but its attributes, as a mapping: ``argparse.Namespace``."""

    def __setstate__(self, state: Any) -> None:
        """Take the attributes."""
        self.update(state)


class NumberKind:
    """The kind of NumPy's numbers, by NumPy's code for it."""

    def __init__(self, code: Any = "V", *_: Any) -> None:
        self.code, self.order = str(code), "="

    def __setstate__(self, state: Any) -> None:
        """Take the order of the bytes, the one thing of a state that concerns numbers."""
        self.order = state[1] if state[1] in ("<", ">") else "="


class NumberArray:
    """An array of NumPy, such as the state of a random generator: of no use here, so left closed."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        """Leave it."""


def _number(kind: NumberKind, raw: Any = b"") -> Any:
    """A number of NumPy as one of Python; of what is no number or text, the code of its kind."""
    if not re.fullmatch(r"[biufcSUMm]\d{1,4}|[?bBhHiIlLqQefdgFDG]", kind.code) or not isinstance(raw, bytes):
        return kind.code
    number = np.frombuffer(raw, np.dtype(kind.order + kind.code), 1)[0]
    return float(number) if isinstance(number, np.longdouble) else number.item()


def _path(*parts: Any) -> str:
    return "/".join(part for part in parts if isinstance(part, str))


_STAND_INS: dict[str, Any] = {
    "argparse.Namespace": Attributes,
    "types.SimpleNamespace": Attributes,
    "collections.defaultdict": lambda *_: {},  # its items follow in operations of their own
    "collections.deque": lambda *_: [],
    "builtins.frozenset": frozenset,
    "builtins.bytes": lambda *_: b"",  # how protocol 2 writes empty ones; of a number they would be as long as it says
    **{f"builtins.{kind}": kind for kind in ("bool", "dict", "float", "int", "list", "object", "str", "tuple")},  # never called
    **{f"pathlib.{at}{kind}": _path for at in ("", "_local.") for kind in ("Path", "PosixPath", "WindowsPath")},
    **{f"pathlib.{at}Pure{kind}": _path for at in ("", "_local.") for kind in ("Path", "PosixPath", "WindowsPath")},
    "numpy.dtype": NumberKind,
    "numpy.ndarray": "numpy.ndarray",
    **{f"numpy.{core}.multiarray.scalar": _number for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray._reconstruct": NumberArray for core in ("core", "_core")},
}
"""Global → what stands for it: a class or function of ours, or the text that it is worth."""


def asked_for(stream: IO[bytes], pickles: int = 1) -> list[str]:
    """Globals, as ``module.name``, that the next ``pickles`` pickles of a stream ask for, in their order; nothing runs.

    Raises ValueError when the bytes are no pickle or end early, and TooLargeError.
    """
    try:
        found = [name for _ in range(pickles) for name in _globals(stream)]
    except (IndexError, MemoryError, OverflowError) as error:
        raise ValueError(f"it claims more than there is ({type(error).__name__})") from error
    return list(dict.fromkeys(found))


def refused(names: Iterable[str]) -> list[str]:
    """Those that weights have no business with."""
    return [name for name in names if not _WEIGHTS.fullmatch(name) and _stand_in(name) is None]


def spoken(name: str) -> str:
    """A global as Python programmers know it: ``posix.system`` is ``os.system``."""
    module, _, rest = name.partition(".")
    return f"{_MODULES[module]}.{rest} ({name})" if module in _MODULES else name


def load(source: Any, names: Iterable[str] = (), *, mapped: bool) -> Any:
    """What ``torch.save`` wrote to a path, on the CPU, by torch's restricted unpickler, with stand-ins for ``names``.

    ``mapped``: leave tensors on the disk.
    """
    permitted: list[Any] = [(_stand_in(name), name) for name in names if not _WEIGHTS.fullmatch(name)]
    with torch.serialization.safe_globals(permitted):
        return torch.load(source, map_location="cpu", weights_only=True, mmap=mapped or None)


def _stand_in(name: str) -> Any:
    """What stands for a global, None for one that is refused."""
    module, _, rest = name.rpartition(".")
    return _of_enum(module, rest) if module in _ENUMS else _STAND_INS.get(name)


def _of_enum(module: str, name: str) -> Any:
    """For a class of the standard library's enumerations what gives back a stored value, for a member its name."""
    found = getattr(import_module(module), name, None)
    if isinstance(found, Enum):
        return str(found.name)
    return _value if isinstance(found, type) and issubclass(found, Enum) else None


def _value(value: Any) -> Any:
    return value


def _globals(stream: IO[bytes]) -> Iterator[str]:
    """Follows just enough of the stack to name what ``STACK_GLOBAL`` takes from it."""
    strings: list[str] = []
    memo: dict[Any, str] = {}
    encodes, expands = False, ""
    for count, (operation, argument, _) in enumerate(pickletools.genops(stream)):
        if count > MOST_OPERATIONS:
            raise TooLargeError(f"more than {MOST_OPERATIONS:,} operations")
        if operation.name in ("GLOBAL", "INST"):
            yield (name := _modern(*str(argument).split(" ", 1)))
            encodes = encodes or name == "_codecs.encode"
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
            expands = expands or _expanding(argument)
        if encodes and expands:
            raise ValueError(f"it encodes texts as {expands}")


def _expanding(text: str) -> str:
    """The codec that a text may name, as Python looks codecs up, if it is one that makes text grow; else nothing."""
    return text if _EXPANDING.fullmatch(re.sub("[^a-z0-9]", "", text.lower())) else ""


def _modern(module: str, name: str = "") -> str:
    """The name that a global has had since Python 3."""
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f"{module}.{name}"
