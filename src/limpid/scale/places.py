"""Files wherever they lie: paths of this machine, and addresses such as ``s3://bucket/folder`` that fsspec knows."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from limpid.errors import LimpidError, MissingExtraError, UsageError, printable
from limpid.files import replacing

_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "memory", "oci", "oss", "r2"})
"""Systems that show a file only when all of it has come; the others get a temporary name first."""

_IN_EXTRA = frozenset({"s3", "s3a"})


class PlaceError(LimpidError):
    """A place cannot be reached, read or written: it is not there, there is no right, or no space."""


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file below an address: ``address`` in full, ``below``: folders between the address asked for and the file."""

    address: str
    below: PurePosixPath


def is_address(text: str) -> bool:
    """Whether a text is an address of fsspec (``s3://…``) and no path of this machine."""
    return "://" in text and not text.startswith("file://")


def local_path(text: str) -> Path | None:
    """The path that a text means on this machine, absolute; None for an address elsewhere."""
    return None if is_address(text) else Path(os.path.abspath(text.removeprefix("file://")))


def join(folder: str, *names: str | PurePosixPath) -> str:
    """An address or path below another."""
    if not is_address(folder):
        return str(Path(folder, *names))
    tail = PurePosixPath(*names).as_posix()
    return folder.rstrip("/") + (f"/{tail}" if tail != "." else "")


def name_of(address: str) -> str:
    """The last part of an address or path."""
    return PurePosixPath(address).name if is_address(address) else Path(address).name


def folder_of(address: str) -> str:
    """What holds a file."""
    return address.rpartition("/")[0] if is_address(address) else str(Path(address).parent)


def files_at(address: str) -> list[FoundFile]:
    """All files that an address means: itself, what a glob matches, or what lies below it, sorted. Raises PlaceError."""
    with reaching(address):
        system, path = _system(address)
        system.invalidate_cache()
        scheme = address.partition("://")[0]
        if any(mark in path for mark in "*?["):
            fixed = PurePosixPath(path.partition("*")[0].partition("?")[0].partition("[")[0] + "x").parent
            found, root = system.glob(path), fixed
        elif system.isfile(path):
            found, root = [path], PurePosixPath(path).parent
        else:
            found, root = system.find(path), PurePosixPath(path)
            if not found:
                system.ls(path)  # find is silent about a bucket that is not there
        return [
            FoundFile(address=f"{scheme}://{one.lstrip('/')}" if scheme != "memory" else f"memory://{one}", below=_below(one, root))
            for one in sorted(found)
        ]


def names_in(folder: str) -> set[str]:
    """Names in a folder; none where the folder is not there yet. Raises PlaceError."""
    with reaching(folder):
        if (path := local_path(folder)) is not None:
            return set(os.listdir(path)) if path.is_dir() else set()
        system, there = _system(folder)
        system.invalidate_cache()
        try:
            return {PurePosixPath(one).name for one in system.ls(there, detail=False)}
        except FileNotFoundError:
            return set()


def fetch(address: str, folder: Path) -> Path:
    """A file of this machine with the bytes and the name of one anywhere: itself, or a copy in ``folder``. Raises PlaceError."""
    if (path := local_path(address)) is not None:
        return path
    copy = folder / name_of(address)
    with reaching(address):
        system, there = _system(address)
        system.get_file(there, str(copy))
    return copy


def deliver(path: Path, address: str) -> None:
    """Copy a file to an address, where it is whole or not at all. Raises PlaceError."""
    with reaching(address):
        system, there = _system(address)
        folder, _, name = there.rpartition("/")
        if address.partition("://")[0] in _WHOLE:
            system.put_file(str(path), there)
            return
        system.makedirs(folder, exist_ok=True)
        partial = f"{folder}/.limpid-{secrets.token_hex(6)}.partial"
        system.put_file(str(path), partial)
        system.mv(partial, f"{folder}/{name}")


def write_bytes(address: str, content: bytes) -> None:
    """Write a small file, whole or not at all. Raises PlaceError, and DiskError on this machine."""
    if (path := local_path(address)) is not None:
        with replacing(path, "free some space, or choose another folder with -o") as partial:
            partial.write_bytes(content)
        return
    with reaching(address):
        system, there = _system(address)
        system.pipe_file(there, content)


def read_bytes(address: str) -> bytes:
    """The bytes of a small file. Raises PlaceError."""
    with reaching(address):
        if (path := local_path(address)) is not None:
            return path.read_bytes()
        system, there = _system(address)
        return bytes(system.cat_file(there))


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn what any file system raises into a PlaceError of one line; a library that is missing is named.

    Every system has errors of its own, from the network, from credentials, from its client; a person needs the same of all.
    """
    try:
        yield
    except LimpidError:
        raise
    except FileNotFoundError as error:
        raise PlaceError(f"{printable(address)}: no such file, folder or bucket; check the spelling") from error
    except PermissionError as error:
        raise PlaceError(f"{printable(address)}: no right to do that ({_line(error)}); check the key or the permissions") from error
    except Exception as error:
        raise PlaceError(f"{printable(address)}: {type(error).__name__}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


@lru_cache(maxsize=32)
def _system_of(scheme: str) -> Any:
    import fsspec

    try:
        return fsspec.filesystem(scheme)
    except ImportError as error:
        if scheme in _IN_EXTRA:
            raise MissingExtraError("s3fs", "scale", f"{scheme}://") from error
        raise UsageError(f"{scheme}:// is not to be had here: {_line(error)}") from error
    except ValueError as error:
        raise UsageError(f"{scheme}:// is no kind of place that fsspec knows; e.g. s3://, gs://, or a folder") from error


def _system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path on it."""
    system = _system_of(address.partition("://")[0])
    return system, str(system._strip_protocol(address))


def _below(path: str, root: PurePosixPath) -> PurePosixPath:
    """Folders between a root and a file; none where a ``..`` would lead elsewhere."""
    try:
        place = PurePosixPath(path).parent.relative_to(root)
    except ValueError:
        return PurePosixPath()
    return PurePosixPath() if ".." in place.parts else place
