"""What ``--degrade`` and ``--crop`` say, as conditions: ``blur:kernels=mild:draws=4:sigma=5,25:clipped=both``."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from limpid.errors import LimpidError, UnknownNameError, UsageError
from limpid.evaluation.degradations import DegradationCondition
from limpid.evaluation.results import Condition
from limpid.files import parse_json, read_file
from limpid.physics.kernel_files import read_kernels
from limpid.physics.motion import CLASSES

SYNTAX = (
    "write --degrade noise:sigma=5,25,50 or sigma=5..50, blur:kernels=small,mild,big (or kernels=all:file=kernels.mat),"
    " gauss:width=1,2 or jpeg:quality=10,40, each with [:sigma=5][:clipped=yes|both][:draws=4]"
)
_NEEDED = {"noise": "sigma", "blur": "kernels", "gauss": "width", "jpeg": "quality"}
_SHARED = {"sigma", "clipped", "draws"}
_CLIPPED = {"no": (False,), "yes": (True,), "both": (False, True)}
_MOST_DRAWS = 1000

Crop = int | tuple[int, int]
"""Side of a square, or width and height, pixels."""

_Mark = tuple[Condition | None, Sequence[str | None]]


def parse(texts: Sequence[str], crops: Sequence[Crop], seed: int = 0) -> list[DegradationCondition]:
    """Every combination of the strengths, kernels and ``crops`` that ``--degrade`` names, in their order.

    A file saved by Compare live of ``limpid app`` stands for what it says. Raises UsageError or UnknownNameError for what cannot be
    read, and for kernels that are not there.
    """
    said = itertools.chain.from_iterable(_read_state(text) if text.endswith(".json") else [text] for text in texts)
    return [made for text in said for made in _conditions(text, crops, seed)]


def _read_state(file: str) -> list[str]:
    """The conditions in a saved state."""
    try:
        found = parse_json(read_file(Path(file).expanduser()))["degrade"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--degrade {file} is no state saved by `limpid app` ({type(error).__name__}); {SYNTAX}") from error
    if not isinstance(found, list) or not found:
        raise UsageError(f"--degrade {file} holds no noise and no shake, which are what --degrade knows")
    return [str(text) for text in found]


def _conditions(text: str, crops: Sequence[Crop], seed: int) -> Iterator[DegradationCondition]:
    kind, settings = _settings(text)
    file = Path(settings["file"]).expanduser() if "file" in settings else None
    held, places = ("", 0) if file is None else _contents(text, file)
    draws = _whole(text, "draws", settings.get("draws", "1"), _MOST_DRAWS)
    values = _split(settings[_NEEDED[kind]])
    marks: list[_Mark] = [(None, [None] * draws)]
    if kind == "blur":
        marks = [_kernels(text, value, file, places, draws) for value in values]
    elif kind == "gauss":
        marks = [(_width(text, value), [None] * draws) for value in values]
    elif kind == "jpeg":
        marks = [(float(_whole(text, "quality", value, 100)), [None] * draws) for value in values]
    strengths: list[float | tuple[float, float] | None] = [_sigma(text, value) for value in _split(settings.get("sigma", ""))]
    sides: list[Crop | None] = [*crops] or [None]
    steps = itertools.product(marks, sides, strengths or [None], _clipped(text, settings))
    for (mark, kernels), crop, sigma, eight in steps:
        size = (crop, crop) if isinstance(crop, int) else crop
        conditions: dict[str, Condition] = {} if mark is None else {kind: mark}
        conditions |= {} if sigma is None else {"noise": sigma if isinstance(sigma, float) else f"{sigma[0]:g}to{sigma[1]:g}"}
        conditions |= {"clipped": "8-bit"} if eight else {}
        conditions |= {} if size is None or len(crops) == 1 else {"size": _sized(size)}
        for draw, kernel in enumerate(kernels):
            yield DegradationCondition(
                conditions=conditions,
                sigma=sigma,
                blur=kernel,
                file=file,
                kernels=held,
                gauss=mark if kind == "gauss" and isinstance(mark, float) else None,
                clipped=eight,
                jpeg=int(mark) if kind == "jpeg" and mark is not None else None,
                crop=size,
                draw=draw if len(kernels) > 1 else None,
                seed=seed,
            )


def _settings(text: str) -> tuple[str, dict[str, str]]:
    kind, *rest = text.split(":")
    if kind not in _NEEDED:
        raise UnknownNameError("degradation", kind, _NEEDED)
    known = {_NEEDED[kind], *_SHARED, *({"file"} if kind == "blur" else ())}
    settings = {}
    for part in rest:
        key, equals, value = part.partition("=")
        if key not in known or not equals:
            raise UsageError(f"--degrade {text}: {part!r} is not understood; {SYNTAX}")
        settings[key] = value
    if not _split(settings.get(_NEEDED[kind], "")):
        raise UsageError(f"--degrade {text} names no {_NEEDED[kind]}; {SYNTAX}")
    return kind, settings


def _split(value: str) -> list[str]:
    return [part for part in value.split(",") if part]


def _kernels(text: str, value: str, file: Path | None, places: int, draws: int) -> _Mark:
    """What tables call a kernel, and the kernel of each draw: those after ``mild.0`` for ``mild``, all of a file for ``all``."""
    name, _, number = value.partition(".")
    if file is None:
        if name not in CLASSES or not (number or "0").isdigit():
            raise UnknownNameError("kernel", value, CLASSES)
        return value, [f"{name}.{int(number or 0) + draw}" for draw in range(draws)]
    if value == "all":
        return file.stem, [str(place) for place in range(places) for _ in range(draws)]
    if not value.isdigit():
        raise UsageError(f"--degrade blur with a file takes all, or the places of kernels in it, 0, 1, …; got {value!r}")
    if int(value) >= places:
        raise UsageError(f"--degrade {text}: there is no kernel {value}; {file} holds {places}, counted from 0")
    return value, [value] * draws


def _sigma(text: str, value: str) -> float | tuple[float, float]:
    low, dots, high = value.partition("..")
    if not dots:
        return _number(text, value)
    ends = _number(text, low), _number(text, high)
    if ends[0] > ends[1]:
        raise UsageError(f"--degrade {text}: the range {value} ends below its beginning; {SYNTAX}")
    return ends


def _number(text: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e4:
        raise UsageError(f"--degrade {text}: {value!r} is no strength (σ is on the 0…255 scale); {SYNTAX}")
    return number


def _width(text: str, value: str) -> float:
    width = _number(text, value)
    if not 0.01 <= width <= 100:
        raise UsageError(f"--degrade {text}: the width of a Gaussian is 0.01…100 pixels; got {value!r}")
    return width


def _whole(text: str, key: str, value: str, most: int) -> int:
    if not value.isdigit() or not 1 <= int(value) <= most:
        raise UsageError(f"--degrade {text}: {key} is a whole number from 1 to {most}; got {value!r}")
    return int(value)


def _clipped(text: str, settings: Mapping[str, str]) -> tuple[bool, ...]:
    value = settings.get("clipped", "no")
    if value not in _CLIPPED:
        raise UsageError(f"--degrade {text}: clipped is no, yes (8 bits, as a camera gives) or both; got {value!r}")
    return _CLIPPED[value]


def _sized(size: tuple[int, int]) -> Condition:
    return float(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def _contents(text: str, file: Path) -> tuple[str, int]:
    """SHA-256 and number of the kernels of a set, as they are used. Raises UsageError when it cannot be read."""
    try:
        kernels = read_kernels(file)
    except LimpidError as fault:
        raise UsageError(f"--degrade {text}: {fault}") from fault
    digest = hashlib.sha256()
    for kernel in kernels:
        digest.update(f"{kernel.shape}".encode() + np.ascontiguousarray(kernel).tobytes())
    return digest.hexdigest(), len(kernels)
