"""Files that are there whole or not at all, whatever kills the process or fills the disk, and what identifies their bytes."""

import errno
import hashlib
import json
import lzma
import os
import re
import secrets
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from limpid.errors import LimpidError, SettingError

ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, ValueError, EOFError, NotImplementedError, RuntimeError)
"""What the standard library raises for zips that are damaged, encrypted, or packed or named in a way that nobody knows."""

_PARTIAL = re.compile(r"\.limpid-[0-9a-f]+\.partial")


class DiskError(LimpidError):
    """A file cannot be written: no space, no permission, a broken disk. What was there before is still there."""


@contextmanager
def reporting(path: Path, remedy: str) -> Iterator[None]:
    """Turn what is raised when the disk is full or refuses into a DiskError of one line that names ``path`` and the remedy."""
    try:
        yield
    except (OSError, RuntimeError) as fault:  # torch wraps the system's error in its own
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else " ".join(str(fault).split())[:200]
        there = "what it held before is intact; " if path.exists() else ""
        raise DiskError(f"{path} cannot be written ({reason}); {there}{remedy}") from fault


@contextmanager
def replacing(path: Path, remedy: str | None = None, mode: int | None = None) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; what the block writes there takes the place of ``path`` when the block ends well.

    Missing folders are made. File and folder are flushed to the disk, so that a power cut leaves the old file or the new one. When
    the block fails, the temporary file goes and the old one stays. With a ``remedy``, errors become those of ``reporting``.
    ``mode``: permission bits of the new file, which until then its owner alone may read; None leaves them to the system.
    """
    partial = path.with_name(f".limpid-{secrets.token_hex(6)}.partial")  # the name itself may be as long as names can be
    try:
        with reporting(path, remedy) if remedy else nullcontext():
            path.parent.mkdir(parents=True, exist_ok=True)
            if mode is not None:
                partial.touch(0o600, exist_ok=False)
            yield partial
            _flush(partial)
            if mode is not None:
                partial.chmod(mode)
            os.replace(partial, path)
            _flush(path.parent)
    finally:
        with suppress(OSError):  # not there when all went well
            partial.unlink()


def remove_partial(folder: Path) -> list[Path]:
    """Remove the temporary files that a killed process left in ``folder``; returns them. Call it before anything is written."""
    stale = [path for path in folder.glob(".limpid-*.partial") if _PARTIAL.fullmatch(path.name) and path.is_file()]
    for path in stale:
        path.unlink(missing_ok=True)
    return stale


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a pipe, a socket or a device, which may keep a reader waiting or feed it for ever."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # not there, out of reach, or no path at all
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """A file open for reading, and nothing that may never end. Raises OSError."""
    if is_special(path):
        raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, not a file", os.fspath(path))
    return open(path, "rb")


def read_file(path: Path) -> bytes:
    """The bytes of a file, and of nothing that may never end. Raises OSError."""
    with open_file(path) as file:
        return file.read()


def parse_json(text: str | bytes) -> Any:
    """Plain data from JSON of unknown origin; raises ValueError for what is none, or is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError as fault:
        raise ValueError("it is nested too deeply") from fault


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free(folder: Path) -> int:
    """Bytes that may still be written below ``folder``, which need not exist yet."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_bytes(text: str) -> int:
    """``600MB``, ``1.5 GB`` or a number of bytes → bytes (decimal units). Raises SettingError for anything else."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\s*", text, re.IGNORECASE)
    if not match or float(match[1]) <= 0:
        raise SettingError(f"--max-memory {text!r} is no amount of memory; write it like 600MB or 2GB")
    return int(float(match[1]) * _UNITS[match[2].upper()])


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
