"""``limpid app``: one process with the HTTP API, and the page on top of it."""

import http.client
import io
import logging
import os
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limpid.errors import LimpidError, MissingExtraError
from limpid.progress import say
from limpid.web.options import MAX_UPLOAD, UPLOADS, AppOptions

if TYPE_CHECKING:
    from fastapi import FastAPI

    from limpid.web.api import Service
    from limpid.web.connections import Server

_SEVERAL = 8  # photos of the largest size that the page may send at once
_STARTED = 60.0  # seconds until a check gives up
BODY_SECONDS = 60.0
"""How long a request may take to come."""


def serve(options: AppOptions) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code. Raises MissingExtraError and what loading the networks raises."""
    with _private_folder() as folder:
        app = application(options, folder)
        from limpid.web.connections import server

        running = server(app, options.host, 0 if options.check else options.port)
        if not options.quiet:
            _log_to_console()
        if options.exposed and not options.quiet:
            guarded = "whoever has the token or password" if options.token or options.auth else "everybody who reaches this machine"
            say(f"limpid: warning: listening on {options.host}, so {guarded} can send photos; use 127.0.0.1 to keep it to yourself")
        if options.check:
            return _checked(running, options)
        _announce(running, options)
        running.run()
        return 0


def application(options: AppOptions, folder: Path) -> Any:
    """The ASGI application; ``folder``: where the page keeps what is uploaded. Raises MissingExtraError."""
    try:
        import gradio  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "web", "limpid app") from error
    from limpid.web.api import build
    from limpid.web.page import mount

    service = service_of(options)
    app = build(service)
    mount(app, service, options, folder)
    return guarded(app, service, options)


def service_of(options: AppOptions) -> "Service":
    """The networks, the queue and the numbers that the page and the API share."""
    from limpid.web.api import Service
    from limpid.web.measurements import Measurements
    from limpid.web.networks import Networks
    from limpid.web.work_queue import WorkQueue

    queue = WorkQueue(options.queue)
    return Service(
        networks=Networks(options.models, options, options.max_memory),
        queue=queue,
        measurements=Measurements(lambda: queue.inside),
        max_pixels=options.max_pixels,
        timeout=options.timeout,
    )


def guarded(app: "FastAPI", service: "Service", options: AppOptions) -> "FastAPI":
    """The application behind its gate and within its bounds."""
    from limpid.web.api import KNOWN
    from limpid.web.bounds import Bounds
    from limpid.web.gate import Gate
    from limpid.web.measurements import Counted

    app.add_middleware(Bounds, largest=MAX_UPLOAD, seconds=BODY_SECONDS, exceptions={UPLOADS: _SEVERAL * MAX_UPLOAD})
    app.add_middleware(Gate, hosts=[options.host, *options.allow_host], token=options.token, auth=options.auth)
    app.add_middleware(Counted, measurements=service.measurements, known=KNOWN)
    return app


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A temporary folder that nobody else reads, for this process alone, removed at the end; nothing is told to anybody."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="limpid-app-", ignore_cleanup_errors=True) as name:
        settings = {"GRADIO_TEMP_DIR": name, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
        os.environ.update(settings)  # gradio reads them when it is imported
        tempfile.tempdir = name
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = before


def _announce(running: "Server", options: AppOptions) -> None:
    def announce() -> None:
        while not running.started and not running.should_exit:
            time.sleep(0.05)
        if running.started and not options.quiet:
            where = f"[{options.host}]" if ":" in options.host else options.host
            say(f"limpid: http://{where}:{running.port}/ (HTTP API: /docs); stop with Ctrl-C")

    threading.Thread(target=announce, daemon=True).start()


def _checked(running: "Server", options: AppOptions) -> int:
    """Run, ask oneself for the page and for one photo, stop."""
    said: list[str] = []

    def ask() -> None:
        until = time.monotonic() + _STARTED
        while not running.started and time.monotonic() < until:
            time.sleep(0.05)
        try:
            said.extend(_ask(running.port, options))
        except (OSError, LimpidError, http.client.HTTPException, IndexError, AttributeError) as error:
            said.append(f"no answer ({error})")
        running.should_exit = True

    threading.Thread(target=ask, daemon=True).start()
    running.run()
    for line in said:
        say(f"limpid: check failed: {line}")
    if not said:
        print("limpid: check passed", file=sys.stdout)  # noqa: T201 - what the command is for
    return 1 if said else 0


def _ask(port: int, options: AppOptions) -> list[str]:
    """What is wrong with the answers to three requests."""
    from PIL import Image

    photo = io.BytesIO()
    Image.new("RGB", (32, 24), (90, 120, 150)).save(photo, "PNG")
    mark = "limpid-check"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n\r\n'.encode()
    body = head + photo.getvalue() + f"\r\n--{mark}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    if options.token or options.auth:
        basic = b64encode((options.auth or "").encode()).decode()
        headers["Authorization"] = f"Bearer {options.token}" if options.token else f"Basic {basic}"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)
    wrong = []
    for method, path, content in (("GET", "/health", None), ("GET", "/", None), ("POST", "/api/separate", body)):
        connection = http.client.HTTPConnection(host, port, timeout=_STARTED)
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            wrong.append(f"{method} {path}: {answer.status} {answer.read(200)!r}")
        connection.close()
    return wrong


def _log_to_console() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("limpid: %(message)s"))
    log = logging.getLogger("limpid.web")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
