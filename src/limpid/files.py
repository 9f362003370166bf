"""Files that are there whole or not at all, whatever kills the process or fills the disk."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from limpid.errors import LimpidError

_PARTIAL = re.compile(r"\..+\.partial")


class DiskError(LimpidError):
    """A file of a run cannot be written: no space, no permission, a broken disk. What was there before is still there."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; what the block writes there takes the place of ``path`` when the block ends well.

    File and folder are flushed to the disk, so that a power cut leaves the old file or the new one. When the block fails, the
    temporary file goes and the old one stays. Raises DiskError when writing fails.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with reporting(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            _flush(partial)
            os.replace(partial, path)
            _flush(path.parent)
    finally:
        with suppress(OSError):  # not there when all went well
            partial.unlink()


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn what libraries raise when the disk is full or refuses into a DiskError of one line that names ``path``."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as fault:  # torch and safetensors wrap the system's error in their own
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else " ".join(str(fault).split())[:200]
        there = "what it held before is intact; " if path.exists() else ""
        raise DiskError(f"{path} cannot be written ({reason}); {there}free some space, then go on with --resume") from fault


def remove_partial(folder: Path) -> list[Path]:
    """Remove the temporary files that a killed run left in ``folder``; returns them. Call it before the run writes anything."""
    stale = [path for path in folder.glob(".*.partial") if _PARTIAL.fullmatch(path.name) and path.is_file()]
    for path in stale:
        path.unlink(missing_ok=True)
    return stale


def free(folder: Path) -> int:
    """Bytes that may still be written below ``folder``, which need not exist yet."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def megabytes(count: int) -> str:
    """A number of bytes for a person: ``2.50 GB`` or ``12.3 MB``."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _flush(path: Path) -> None:
    """Wait until the disk holds a file, or the names in a folder."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
