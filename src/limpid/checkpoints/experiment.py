"""The folder of an experiment: which of its files is the newest generator."""

import re
from pathlib import Path

from limpid.errors import WeightsError
from limpid.files import parse_json, read_file

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
_OTHERS = re.compile(  # discriminators, feature extractors and states of a training
    r"(?<![a-z])(d|dis|disc\w*|net_?d|opt|optim\w*|sched\w*|scaler|state|states|rng|args|training_args|vgg\w*|lpips)(?![a-z])",
    re.IGNORECASE,
)
_NEWEST = re.compile(r"(?<![a-z])(latest|last|final)(?![a-z])", re.IGNORECASE)
_DEPTH = 3  # folders below the one that is named


def newest_generator(path: Path) -> Path:
    """The file itself, or in a folder of an experiment the weights of its generator: of a run of ours the best, else the newest.

    The newest is the one that its name calls latest, last or final, else the one of the highest numbers (of epochs, steps, dates),
    else the one written last; safetensors go before pickles. Raises WeightsError when a folder holds none.
    """
    if not path.is_dir():
        return path
    if best := _best_of_run(path):
        return best
    found = [file for depth in range(_DEPTH + 1) for file in path.glob("*/" * depth + "*") if _is_generator(file)]
    if not found:
        raise WeightsError(f"{path} is a folder without weights of a generator ({', '.join(SUFFIXES)}); name the file")
    return max(found, key=lambda file: (file.suffix == SUFFIXES[0], *_age(file.relative_to(path)), file.stat().st_mtime, file.name))


def _best_of_run(path: Path) -> Path | None:
    """The first of the weights that ``best.json`` lists, if it does and they are there."""
    try:
        rows = parse_json(read_file(path / "best.json"))
        best = path / Path(rows[0]["file"]).name
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return best if best.is_file() else None


def _is_generator(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and file.is_file() and not _OTHERS.search(file.stem)


def _age(file: Path) -> tuple[list[int], bool, list[int]]:
    """Numbers of the folders, whether its name says that it is the newest, numbers of the name."""
    return _numbers(file.parent), _NEWEST.search(file.stem) is not None, _numbers(Path(file.stem))


def _numbers(path: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d{1,18}", str(path))]
