"""Downloads a published file into the cache, checks it, and gives up quickly where there is no network."""

import os
import re
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from platformdirs import user_cache_path

from limpid.errors import WeightsError
from limpid.files import replacing, sha256

OFFLINE = ("LIMPID_OFFLINE", "HF_HUB_OFFLINE")
"""Environment variables that forbid any attempt to reach the network when set to anything but 0 or nothing."""

_PATIENCE = 1.0  # seconds for finding out whether the home of a file answers at all
_TIMEOUT = 10.0  # seconds without a byte, once it has answered


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
    """The file from the cache, or downloaded into it; a damaged download is never kept.

    Raises WeightsError within 2 seconds when it is missing and the network is forbidden or away, and for a wrong checksum.
    """
    path = cache_folder() / remote.name
    if path.is_file():
        return path
    for variable in OFFLINE:
        if os.environ.get(variable, "0") not in ("", "0"):
            raise WeightsError(f"{remote.name} is not in {path.parent} and {variable} forbids to download it from {remote.url}")
    if not _answers(remote.url):
        raise WeightsError(f"{remote.name} is not in {path.parent} and its home does not answer: {remote.url}")
    return _download(remote, path)


def _download(remote: Remote, path: Path) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=_TIMEOUT)
    try:
        wanted = remote.sha256 or _stated_checksum(remote.url)
        with replacing(path) as partial:
            pooch.retrieve(remote.url, known_hash=None, fname=partial.name, path=partial.parent, downloader=downloader)
            digest = sha256(partial)
            if not digest.startswith(wanted):
                came = f"{digest[:12]}…, expected {wanted[:12]}…"
                raise WeightsError(f"{remote.url} sent a file with sha256 {came}; it was thrown away")
    except (requests.RequestException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{remote.name} could not be downloaded from {remote.url}: {reason}") from error
    return path


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
