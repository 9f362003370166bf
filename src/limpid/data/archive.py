"""A raw download as one flat listing of files: folders and zips, zips within zips, nothing outside them ever touched."""

import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from limpid.errors import DataError
from limpid.files import ZIP_FAULTS, is_special

MOST_BYTES = 200 * 2**30
"""Default bound on the unpacked size of a download."""

_DEPTH = 3  # zips within zips within a zip
_RUBBISH = {"__MACOSX", ".DS_Store", "Thumbs.db"}
_CHUNK = 2**20


class Unpacker:
    """Lists raw downloads; what is packed is unpacked into ``scratch``, at most ``most_bytes`` in all."""

    def __init__(self, scratch: Path, most_bytes: int = MOST_BYTES) -> None:
        self.scratch, self.most_bytes = scratch, most_bytes
        self._left = most_bytes
        self._archives = 0

    def files(self, raw: Path) -> dict[str, Path]:
        """Every file below ``raw``, a folder or a zip, by its relative path with slashes; zips appear as folders.

        Raises DataError for anything else, a damaged, encrypted or oversized zip and one that reaches outside itself.
        """
        if raw.is_dir():
            return dict(sorted(self._expand(_walk(raw), depth=0)))
        if is_special(raw) or not zipfile.is_zipfile(raw):
            what = "is neither a folder nor a zip; unpack it first" if raw.exists() else "does not exist"
            raise DataError(f"{raw} {what}; expected the downloaded folder or zip")
        return dict(sorted(self._expand(_walk(self._unpack(raw)), depth=1)))

    def _expand(self, files: Iterator[tuple[str, Path]], depth: int) -> Iterator[tuple[str, Path]]:
        for name, path in files:
            if path.suffix.lower() != ".zip":
                yield name, path
                continue
            if depth >= _DEPTH:
                raise DataError(f"{path.name} lies more than {_DEPTH} zips deep; unpack the download by hand")
            stem = name[: -len(path.suffix)]
            for inner, file in self._expand(_walk(self._unpack(path)), depth + 1):
                yield f"{stem}/{inner}", file

    def _unpack(self, archive: Path) -> Path:
        self._archives += 1
        target = self.scratch / str(self._archives)
        try:
            with zipfile.ZipFile(archive) as content:
                members = [member for member in content.infolist() if not member.is_dir()]
                self._check_room(archive, sum(member.file_size for member in members))
                for member in members:
                    self._extract(content, member, target / _safe(member, archive))
        except ZIP_FAULTS as error:
            raise DataError(f"{archive.name} cannot be unpacked ({error}); download it again") from error
        except OSError as error:  # no room, names too long, a file where a folder should be
            raise DataError(f"{archive.name} cannot be unpacked to {self.scratch}: {error.strerror or error}") from error
        target.mkdir(parents=True, exist_ok=True)
        return target

    def _check_room(self, archive: Path, promised: int) -> None:
        free = shutil.disk_usage(self.scratch).free
        if promised > min(self._left, free):
            limit = "are free on that disk" if free < self._left else f"are left of the bound of {self.most_bytes} bytes"
            raise DataError(f"{archive.name} unpacks to {promised} bytes but only {min(self._left, free)} {limit}")

    def _extract(self, content: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with content.open(member) as packed, target.open("wb") as file:
            while chunk := packed.read(_CHUNK):
                self._left -= len(chunk)  # counted while unpacking: the size in a header may lie
                if self._left < 0:
                    raise DataError(f"{content.filename} unpacks to more than {self.most_bytes} bytes; refused")
                file.write(chunk)


def _safe(member: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    link = stat.S_ISLNK(member.external_attr >> 16)
    if link or path.is_absolute() or ".." in path.parts or any(":" in part or "\0" in part for part in path.parts):
        raise DataError(f"{archive.name} holds {member.filename!r}, a {'link' if link else 'path'} that may lead outside; refused")
    return path


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part in _RUBBISH or part.startswith("._") for part in relative.parts):
            yield relative.as_posix(), path
