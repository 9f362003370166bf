"""What is wrong with the data of a training, found before its first step."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from limpid.data.pairing import listing
from limpid.data.stream import Source
from limpid.errors import DataError
from limpid.files import sha256


def check(training: Sequence[Source], held_out: Mapping[str, Sequence[Source]], length: int, per_step: int) -> list[str]:
    """Look at the sources of a training, and at those ``held_out`` of it by name (``validate``, test sets).

    ``length``: items per epoch; ``per_step``: items of one optimiser step over all processes. Returns warnings: training files
    that hold the same bytes. Raises DataError, naming the files, for sources without items, a step that takes more items than an
    epoch has, and files held out that are also trained on (the same bytes under any name).
    """
    if not training or not all(map(len, training)):
        raise DataError("there is nothing to train on: a source of data.train is empty")
    empty = [name for name, sources in held_out.items() if not all(map(len, sources))]
    if empty:
        raise DataError(f"there is nothing to measure on: {', '.join(empty)} is empty")
    if per_step > length:
        raise DataError(
            f"a step takes {per_step} items, an epoch has {length}; lower data.batch or train.accumulate, or raise data.epoch"
        )
    trained = _files(training)
    kept = {name: _files(sources) for name, sources in held_out.items()}
    groups = same_bytes({*trained, *(path for paths in kept.values() for path in paths)})
    for name, paths in kept.items():
        _check_apart(name, paths, trained, groups)
    return _doubles(trained, groups)


def same_bytes(paths: Iterable[Path]) -> dict[Path, str]:
    """Path → hash of its content, of those files alone that share their length with another one of ``paths``."""
    by_length: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        by_length[path.stat().st_size].append(path)
    return {path: sha256(path) for alike in by_length.values() if len(alike) > 1 for path in alike}


def _files(sources: Sequence[Source]) -> set[Path]:
    return {path.resolve() for source in sources for path in source.files()}


def _check_apart(name: str, paths: set[Path], trained: set[Path], hashes: Mapping[Path, str]) -> None:
    by_hash = {hashes[path]: path for path in sorted(trained) if path in hashes}
    shared = {path: path if path in trained else by_hash.get(hashes.get(path, "")) for path in sorted(paths)}
    found = [f"{path} is {other}" if path != other else str(path) for path, other in shared.items() if other is not None]
    if found:
        raise DataError(f"{name} holds files that are also trained on, so its scores would mean nothing; {listing(found)}")


def _doubles(trained: set[Path], hashes: Mapping[Path, str]) -> list[str]:
    alike: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(trained):
        if path in hashes:
            alike[hashes[path]].append(path)
    doubles = [" = ".join(map(str, paths)) for paths in alike.values() if len(paths) > 1]
    return [f"some training files hold the same bytes; {listing(doubles)}"] if doubles else []
