"""The folder of a run: what lies in it, who works in it, and with which options it was started."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, Any

from limpid.errors import UsageError
from limpid.files import parse_json, read_file, replacing
from limpid.training.options import TrainOptions

LAST = "last.pt"
"""The state of a run, below its folder."""

RECIPE = "recipe.yaml"
"""The resolved recipe of a run, below its folder."""

OPTIONS = "options.json"
"""What else a run was started with, below its folder."""

_LOCK = ".lock"
_KEPT = ("backbone_weights", "device", "wandb")
_NUMBERED = re.compile(r"(?:epoch|state)_(\d{4,})(?:\.safetensors|\.pt)?")


def check_folder(folder: Path, options: TrainOptions) -> None:
    """Raise UsageError when a new run would mix with an old one, or there is none to go on with, or options conflict."""
    held = (folder / LAST).is_file() or (folder / RECIPE).is_file()
    if options.resume and not held:
        raise UsageError(f"{folder} holds no run to resume; leave out --resume, or name the run with --name")
    if options.resume and options.init is not None:
        raise UsageError("--init starts a new run and --resume goes on with an old one; leave one out")
    if held and not options.resume:
        raise UsageError(f"{folder} holds a run; go on with --resume, or give this one another --name")
    if options.from_epoch is not None and not options.resume:
        raise UsageError("--from-epoch says where to resume; give --resume as well")


def state_file(folder: Path, from_epoch: int | None) -> Path:
    """The state to go on from: the last one, or the one kept after an epoch. Raises UsageError, naming those that are there."""
    if from_epoch is None:
        return folder / LAST
    path = kept_state(folder, from_epoch)
    if not path.is_file():
        kept = ", ".join(str(int(other.stem[6:])) for other in sorted(folder.glob("state_*.pt")))
        there = (
            f"there are those after the epochs {kept}" if kept else "there is none; log.state_every=1 keeps one after every epoch"
        )
        raise UsageError(f"{folder} holds no state after epoch {from_epoch}; {there}")
    return path


def kept_state(folder: Path, epoch: int) -> Path:
    """Where the state after an epoch, counted from 1, is kept."""
    return folder / f"state_{epoch:04d}.pt"


def drop_after(folder: Path, epoch: int) -> None:
    """Remove pictures, numbered weights and states of the epochs after ``epoch``: the run goes another way from there."""
    for path in folder.iterdir():
        match = _NUMBERED.fullmatch(path.name)
        if not match or int(match[1]) <= epoch or path.is_symlink():
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def keep_options(folder: Path, options: TrainOptions) -> None:
    """Write down the options that a resumed run needs again."""
    path = Path(options.backbone_weights).expanduser()
    weights = str(path.absolute()) if path.exists() else options.backbone_weights
    kept = {name: getattr(options, name) for name in _KEPT} | {"backbone_weights": weights}
    with replacing(folder / OPTIONS) as partial:
        partial.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def remembered(folder: Path, options: TrainOptions) -> TrainOptions:
    """The options of an old run where nothing else is wished: those that differ from their default are taken as wishes."""
    try:
        kept: Any = parse_json(read_file(folder / OPTIONS))
    except (OSError, ValueError):  # a run of before, or none at all
        return options
    usual = {one.name: one.default for one in fields(TrainOptions)}
    known = kept if isinstance(kept, dict) else {}
    unsaid = [name for name in _KEPT if getattr(options, name) == usual[name] and type(known.get(name)) is type(usual[name])]
    return replace(options, **{name: known[name] for name in unsaid})


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Work in ``folder``, which is made, as the only process; the system gives it free however a process ends.

    Raises UsageError while another process works there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a+b") as file:
        if not _seized(file):
            raise UsageError(f"another process trains in {folder}; wait for its end, or give this run another --name")
        yield


def _seized(file: IO[bytes]) -> bool:
    """Lock a file for this process alone; its children, such as workers that outlive it, hold nothing."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
