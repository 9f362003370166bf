"""The options of ``limpid app``."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limpid.errors import SettingError, UsageError
from limpid.files import parse_bytes
from limpid.options import option
from limpid.runtime.options import DeviceOptions

MEGABYTE = 2**20

MAX_UPLOAD = 32 * MEGABYTE
"""Bytes of one request."""

MAX_PIXELS = 50_000_000
"""Pixels of one photo."""

UPLOADS = "/gradio_api/upload"
"""Where the page sends photos."""


@dataclass(frozen=True, kw_only=True)
class AppOptions(DeviceOptions):
    """Where the page and the HTTP API listen, what they serve and to whom.

    ``models``: NAME, FILE or LABEL=FILE; none: the shipped ones. ``max_memory``: bytes above the imported process, of which weights
    take at most half. ``token``, ``auth``: without one of them nothing but ``/health`` is answered. ``static``: write the page
    that needs no server into this folder instead, from the ``onnx`` files. Raises SettingError and UsageError.
    """

    host: str = option("127.0.0.1", "Address to listen on.")
    port: int = option(7860, "Port to listen on; 0: any that is free.", minimum=0, maximum=65535)
    models: Sequence[str] = option((), "NAME, FILE or LABEL=FILE; repeatable (the shipped ones).", "--models", "--model", "-m")
    folder: Path | None = option(None, "Folder of photos to choose from under Compare live, and to make the data of recipes of.")
    runs: Path | None = option(None, "Training folder, or a folder of them, to watch under See a run.")
    auth: str | None = option(None, "USER:PASSWORD that the browser has to give.", metavar="USER:PASSWORD")
    token: str | None = option(None, "Token that programs have to give: Authorization: Bearer TOKEN.")
    allow_host: Sequence[str] = option((), "Further host name that requests may come to; repeatable.")
    queue: int = option(16, "Photos that may wait; more are answered 429.", minimum=0)
    timeout: int = option(60, "Seconds that one request to the API may take.", minimum=1)
    max_pixels: int = option(MAX_PIXELS, "Refuse photos with more pixels.", minimum=1)
    max_memory: int | None = option(None, "Memory above the imported process, e.g. 2GB.", text=parse_bytes)
    static: Path | None = option(None, "Write the page that needs no server into this folder.")
    onnx: Sequence[Path] = option((), "With --static: networks made by `limpid export`; repeatable.")
    webgpu: bool = option(False, "With --static: also what WebGPU needs, 17 MB more; other browsers use WebAssembly.")
    single: bool = option(False, "With --static: one HTML file that opens from the disk.")
    check: bool = option(False, "Start, serve one request to itself, stop; exit code 0 when all is well.")
    quiet: bool = option(False, "Only errors.", "--quiet", "-q")

    def __post_init__(self) -> None:
        if self.auth is not None and not all(self.auth.partition(":")):
            raise UsageError("--auth takes USER:PASSWORD")
        if self.token is not None and (not self.token.isascii() or not self.token.isprintable() or len(self.token) < 8):
            raise SettingError("--token takes at least 8 printable ASCII characters")
        for folder in (self.folder, self.runs):
            if folder is not None and not folder.is_dir():
                raise UsageError(f"{folder} is no folder")
        if bool(self.onnx) != (self.static is not None):
            raise UsageError("--static DIR and --onnx FILE go together: the page holds the networks that `limpid export` made")
        if (self.webgpu or self.single) and self.static is None:
            raise UsageError("--webgpu and --single say how --static DIR writes the page")
        if self.webgpu and self.single:
            raise UsageError("a page that is one file runs on WebAssembly alone; leave out --webgpu or --single")

    @property
    def exposed(self) -> bool:
        """Whether other machines reach it."""
        return self.host != "localhost" and not _is_loopback(self.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
