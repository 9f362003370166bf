"""Downloads a published file into the cache, checks it, and gives up quickly where there is no network."""

import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from platformdirs import user_cache_path

from limpid.errors import WeightsError
from limpid.files import megabytes, replacing, sha256

OFFLINE = ("LIMPID_OFFLINE", "HF_HUB_OFFLINE")
"""Environment variables that forbid any attempt to reach the network when set to anything but 0 or nothing."""

_forbidden: ContextVar[bool] = ContextVar("forbidden", default=False)

_PATIENCE = 1.0  # seconds for finding out whether the home of a file answers at all
_TIMEOUT = 10.0  # seconds without a byte, once it has answered
_SLOWEST = 50_000  # bytes a second on average; less is as good as nothing
_LONGEST = 3600.0  # seconds for all tries together
_TRIES = 3
_PASSING = (408, 429)  # refusals that another try may not meet: too slow, too many requests
_PIECE = 1 << 16

MOST_BYTES = 1 << 30
"""Largest download, bytes; what is larger is refused from its header, or where it passes this."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file with a public home: ``name`` in the cache, ``url``, and all or the first digits of its ``sha256``.

    An empty ``sha256`` means that the home states it in the header ``X-Linked-ETag``, as the Hugging Face hub does.
    """

    name: str
    url: str
    sha256: str = ""


def cache_folder() -> Path:
    """Where downloads are kept: ``LIMPID_CACHE``, else ``XDG_CACHE_HOME/limpid``, else the system's cache (``~/.cache/limpid``)."""
    for variable, below in (("LIMPID_CACHE", ""), ("XDG_CACHE_HOME", "limpid")):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser() / below
    return user_cache_path("limpid", appauthor=False)


def fetch(remote: Remote) -> Path:
    """The file from the cache, its checksum verified, or downloaded into it; a damaged one is neither used nor kept.

    Raises WeightsError within 2 seconds when it is missing and the network is forbidden or away; else after three tries, for a file
    that is larger, slower or another one than it should be.
    """
    path = cache_folder() / remote.name
    lacks = f"{remote.name} is not in {path.parent}"
    if path.is_file():
        if _is_whole(path, remote):
            return path
        lacks = f"{path} is damaged, its checksum is wrong"
    if forbidden := forbidden_by():
        raise WeightsError(f"{lacks} and {forbidden} forbids to download it from {remote.url}")
    if not _answers(remote.url):
        raise WeightsError(f"{lacks} and its home does not answer: {remote.url}")
    return _download(remote, path)


@contextmanager
def forbidding_downloads(forbidden: bool) -> Iterator[None]:
    """Let nothing be downloaded while the block runs, where that is ``forbidden``; on this thread alone."""
    before = _forbidden.set(forbidden or _forbidden.get())
    try:
        yield
    finally:
        _forbidden.reset(before)


def forbidden_by() -> str | None:
    """What forbids to download, in words; None where nothing does."""
    if _forbidden.get():
        return "--offline"
    return next((variable for variable in OFFLINE if os.environ.get(variable, "0") not in ("", "0")), None)


def _is_whole(path: Path, remote: Remote) -> bool:
    """Whether a cached file has the checksum that is known, or that its home stated when it came; true where neither is."""
    noted = _note(path)
    wanted = remote.sha256 or (noted.read_text(encoding="utf-8").partition(" ")[0] if noted.is_file() else "")
    return sha256(path).startswith(wanted)


def _note(path: Path) -> Path:
    """Where the checksum that the home of a file stated is kept, in the form that ``sha256sum --check`` reads."""
    return path.with_name(f"{path.name}.sha256")


def _download(remote: Remote, path: Path) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    deadline = time.monotonic() + _LONGEST
    try:
        with replacing(path) as partial:
            kept = pooch.create(
                path=partial.parent,
                base_url="",
                registry={partial.name: None},
                urls={partial.name: remote.url},
                retry_if_failed=_TRIES - 1,  # after a second, then after two
            )
            kept.fetch(partial.name, downloader=lambda url, target, _: _transfer(remote, Path(target), deadline))
            if not remote.sha256:
                _note(path).write_text(f"{sha256(partial)}  {path.name}\n", encoding="utf-8")
    except (requests.RequestException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{remote.name} could not be downloaded from {remote.url}: {reason}") from error
    return path


def _transfer(remote: Remote, target: Path, deadline: float) -> None:
    """Download once. Raises RequestException and ValueError for what another try may mend, else WeightsError."""
    import requests
    import urllib3

    wanted = remote.sha256 or _stated_checksum(remote.url)
    with requests.get(remote.url, stream=True, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}) as answer:
        if 400 <= answer.status_code < 500 and answer.status_code not in _PASSING:
            raise WeightsError(f"{remote.name} could not be downloaded from {remote.url}: {answer.status_code} {answer.reason}")
        answer.raise_for_status()
        promised = int(answer.headers.get("Content-Length", 0))
        deadline = min(deadline, time.monotonic() + _TIMEOUT + (promised or MOST_BYTES) / _SLOWEST)
        try:
            digest = _stream(answer.raw, target, remote, promised, deadline)
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from error
    if not digest.startswith(wanted):
        raise ValueError(f"what came has sha256 {digest[:12]}…, expected {wanted[:12]}…; it was thrown away")


def _stream(raw: Any, target: Path, remote: Remote, promised: int, deadline: float) -> str:
    """Write what comes, piece by piece as it comes, and return its SHA-256. Raises WeightsError for too much and too slow."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        while max(size, promised) <= MOST_BYTES and (piece := raw.read1(_PIECE, decode_content=False)):
            size += len(piece)
            digest.update(piece)
            file.write(piece)
            if time.monotonic() > deadline:
                raise WeightsError(f"{remote.url} sends too slowly ({megabytes(size)} came); try again, or download it by hand")
    if max(size, promised) > MOST_BYTES:
        raise WeightsError(f"{remote.url} sends more than {megabytes(MOST_BYTES)}; what came was thrown away")
    return digest.hexdigest()


def _stated_checksum(url: str) -> str:
    """SHA-256 that the home states for the file. Raises WeightsError when it states none."""
    import requests

    answer = requests.head(url, timeout=_TIMEOUT, allow_redirects=False)
    answer.raise_for_status()
    tag = answer.headers.get("X-Linked-ETag", "").strip('"')
    if not re.fullmatch(r"[0-9a-f]{64}", tag):
        raise WeightsError(f"{url} states no checksum (X-Linked-ETag), so the file cannot be verified; download it by hand")
    return tag


def _answers(url: str) -> bool:
    """Whether the host of ``url``, or the proxy that leads to it, accepts a connection in time."""
    parts = urlsplit(url)
    proxy = urlsplit(getproxies().get(parts.scheme, ""))
    target = proxy if proxy.hostname else parts
    address = (target.hostname or "", target.port or {"http": 80}.get(target.scheme, 443))
    answered = threading.Event()

    def knock() -> None:
        try:
            socket.create_connection(address, timeout=_PATIENCE).close()
            answered.set()
        except OSError:
            pass

    thread = threading.Thread(target=knock, daemon=True)  # looking up a name may hang longer than any patience
    thread.start()
    thread.join(_PATIENCE)
    return answered.is_set()
