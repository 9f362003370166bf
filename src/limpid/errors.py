"""What can go wrong, as one tree; every message says what came, what was expected and what to do.

LimpidError
├── UsageError            the options itself cannot be carried out (exit code 2)
│   ├── UnknownNameError  no entry, layer or setting of that name; carries the nearest spelling
│   └── SettingError      a setting has a value outside its range
├── PhotoError            a photo cannot be read or written
│   └── TooLargeError     a photo has more pixels than are allowed
├── ShapeError            tensors do not fit each other or the contract
├── DataError             a data set does not hold what it should
├── WeightsError          weights are missing, damaged or belong to another network
│   └── UnrecognisedError they are of no network that is known here
├── DeviceError           the device asked for is not there
├── NoRoomError           a photo does not fit the memory that is allowed
├── BusyError             too many photos wait already; ask again later
└── MissingExtraError     an optional library is not installed; carries the pip line
"""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 80  # letters of a wrong name that a message repeats


class LimpidError(Exception):
    """Any failure that this package foresees; its text is one line for a person."""


class UsageError(LimpidError):
    """The request contradicts itself or the file system; nothing was started."""


class UnknownNameError(UsageError):
    """A name that nothing answers to.

    ``wanted`` is what came, ``known`` what there is; ``nearest`` holds the closest spelling or None.
    """

    def __init__(self, kind: str, wanted: str, known: Iterable[str]) -> None:
        names = sorted(known)
        self.wanted = wanted
        shown = wanted if len(wanted) <= _SHOWN else f"{wanted[:_SHOWN]}…"
        self.nearest = next(iter(get_close_matches(wanted[:_SHOWN], names, n=1, cutoff=0.5)), None)
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        super().__init__(f"no {kind} named {shown!r}{hint} Known: {', '.join(names) or 'none'}.")


class SettingError(UsageError):
    """A setting lies outside the range that its owner states."""


class PhotoError(LimpidError):
    """A photo cannot be decoded, is refused, or cannot be written."""


class TooLargeError(PhotoError):
    """A photo has more pixels than are allowed; it was refused from its header."""


class ShapeError(LimpidError):
    """A tensor has another shape than the contract asks for."""


class DataError(LimpidError):
    """A data set lacks a partner, a size or an item."""


class WeightsError(LimpidError):
    """Weights are missing, damaged, not finite, or made for another network."""


class UnrecognisedError(WeightsError):
    """Weights are sound but of no network of the catalogue."""


class DeviceError(LimpidError):
    """The device or precision that was asked for does not exist here."""


class NoRoomError(LimpidError):
    """A photo cannot be run within the memory allowed; the text says what it needs."""


class BusyError(LimpidError):
    """As many photos wait as may wait."""


class MissingExtraError(LimpidError):
    """An optional library is needed; the text holds the line that installs it."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {library}, which is not installed; run: pip install 'limpid[{extra}]'")


_NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "insufficient memory",
    "not enough memory",
    "bad_alloc",
    "alloc_failed",
)
"""What PyTorch, OpenCV, CUDA and the system write when memory runs out, in lower case."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left: Python's own, or a library's, which may be of any kind."""
    foreign = not isinstance(error, LimpidError)
    return isinstance(error, MemoryError) or (foreign and any(words in str(error).lower() for words in _NO_MEMORY))


def printable(name: object) -> str:
    """A file name fit for a one-line message: line breaks and other control characters are spelled out."""
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in str(name))
