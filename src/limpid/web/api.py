"""The HTTP API: one photo in, its layers out."""

import asyncio
import hashlib
import io
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar
from zipfile import ZIP_STORED, ZipFile

from fastapi import FastAPI, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from limpid._version import __version__
from limpid.errors import BusyError, LimpidError, NoRoomError, PhotoError, TooLargeError, UnknownNameError, UsageError
from limpid.image.read import read
from limpid.layers.task import find_task
from limpid.runtime.options import SeparationOptions
from limpid.web.measurements import Measurements
from limpid.web.networks import Networks
from limpid.web.openapi_page import page
from limpid.web.processing import Layers, encoded, extension, separate
from limpid.web.stopping import StoppedError
from limpid.web.work_queue import WorkQueue

T = TypeVar("T")

ROUTES = {"separate": "reflection", "denoise": "denoise", "deblur": "deblur", "decompose": "intrinsic"}
"""Name of a route below ``/api`` → task."""

KNOWN = frozenset(["/health", "/metrics", "/docs", "/openapi.json", "/api/models", *(f"/api/{name}" for name in ROUTES)])
"""Paths of this API."""

_STATUS: Mapping[type[LimpidError], int] = {
    TooLargeError: 413,
    NoRoomError: 413,
    PhotoError: 415,
    UnknownNameError: 422,
    UsageError: 422,
    BusyError: 429,
}
_MEDIA = {"jpg": "jpeg", "tif": "tiff", "ppm": "x-portable-pixmap"}
_GONE = 499  # nobody reads it
_RETRY_SECONDS = 5

_log = logging.getLogger("limpid.web")


@dataclass(frozen=True, kw_only=True)
class Service:
    """What all requests share. ``max_pixels`` of a photo; ``timeout``: seconds of a request."""

    networks: Networks
    queue: WorkQueue
    measurements: Measurements
    max_pixels: int
    timeout: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How layers are to be answered: see ``/docs``."""

    layers: str
    answer: str | None
    format: str | None
    quality: int
    metadata: str


def build(service: Service) -> FastAPI:
    """The application; its ``state.service`` is the service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.queue.close()

    app = FastAPI(title="limpid", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan, description=__doc__ or "")
    app.state.service = service
    for name, task in ROUTES.items():
        app.add_api_route(
            f"/api/{name}",
            _route(service, task),
            methods=["POST"],
            name=name,
            summary=f"Layers of one photo: {', '.join(find_task(task).layers)}",
            response_class=Response,
        )
    app.add_api_route("/api/models", lambda: _models(service.networks), methods=["GET"], name="models", summary="What is served")
    app.add_api_route("/health", _health, methods=["GET"], name="health", summary="Whether it runs")
    app.add_api_route("/docs", lambda: HTMLResponse(page(app.openapi())), methods=["GET"], include_in_schema=False)
    app.add_api_route(
        "/metrics",
        lambda: PlainTextResponse(service.measurements.text(), media_type="text/plain; version=0.0.4"),
        methods=["GET"],
        name="metrics",
        summary="Numbers for Prometheus",
        response_class=PlainTextResponse,
    )
    app.add_exception_handler(LimpidError, _refused)
    app.add_exception_handler(HTTPException, _refused_by_http)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    return app


def _route(service: Service, task: str) -> Callable[..., Any]:
    async def handle(
        request: Request,
        photo: Annotated[UploadFile, File(description="JPEG, PNG, WebP, TIFF, BMP, AVIF, GIF or PPM")],
        model: Annotated[str, Form(max_length=200, description="a label of /api/models, or default")] = "default",
        layers: Annotated[str, Form(max_length=200, description="such as T or T,R; all")] = "",
        answer: Annotated[Literal["file", "zip", "json"] | None, Form(description="file for one layer, else zip")] = None,
        format: Annotated[str | None, Form(max_length=20, description="jpg, png, webp, tiff, avif; that of the photo")] = None,
        quality: Annotated[int, Form(ge=1, le=100, description="of lossy formats")] = 95,
        strength: Annotated[float, Form(ge=0, le=1, description="how far to go")] = 1.0,
        resolution: Annotated[Literal["auto", "full"], Form(description="as limpid --resolution")] = "auto",
        metadata: Annotated[Literal["strip", "keep"], Form(description="EXIF, XMP, IPTC and DPI")] = "strip",
    ) -> Response:
        content = await photo.read()
        options = SeparationOptions(strength=strength, resolution=resolution, max_memory=service.networks.budget)
        wanted = Answer(layers=layers, answer=answer, format=format, quality=quality, metadata=metadata)
        return await _run(request, service, lambda: _answered(service, task, content, model, options, wanted))

    return handle


def _answered(service: Service, task: str, content: bytes, model: str, options: SeparationOptions, wanted: Answer) -> Response:
    """Everything about one photo, on the thread that works."""
    names = _names(task, wanted)
    separator = service.networks.get(model, task)
    photo = read(content, max_pixels=service.max_pixels)
    suffix = extension(photo, wanted.format)
    found = separate(photo, separator, options, names)
    service.measurements.seconds.labels(task).observe(found.seconds)
    like = photo if wanted.metadata == "keep" else photo.stripped()
    files = {name: encoded(pixels, like, wanted.format, wanted.quality) for name, pixels in found.pixels.items()}
    digest = hashlib.sha256(content).hexdigest()[:12]
    _log.info("%s %s %dx%d %s %.2f s", task, digest, photo.width, photo.height, photo.format, found.seconds)
    return _response(files, suffix, found, separator.name, wanted.answer or ("file" if len(files) == 1 else "zip"))


def _names(task: str, wanted: Answer) -> tuple[str, ...]:
    known = find_task(task)
    if wanted.layers == "all":
        names = (*known.layers, *known.optional)
    else:
        texts = wanted.layers.split(",") if wanted.layers else [known.primary]
        names = tuple(dict.fromkeys(known.layer_name(text.strip()) for text in texts))
    if wanted.answer == "file" and len(names) > 1:
        raise UsageError(f"a file holds one layer, not {', '.join(names)}; ask for answer=zip or json")
    return names


def _response(files: Mapping[str, bytes], suffix: str, found: Layers, model: str, answer: str) -> Response:
    facts = {
        "model": model,
        "width": found.photo.width,
        "height": found.photo.height,
        "seconds": round(found.seconds, 3),
        "confidence": round(found.confidence, 4),
        "nothing_to_remove": found.nothing,
    }
    headers = {f"X-Limpid-{name.replace('_', '-').title()}": str(value).lower() for name, value in facts.items() if name != "model"}
    media = f"image/{_MEDIA.get(suffix, suffix)}"
    if answer == "json":
        layers = {name: b64encode(content).decode() for name, content in files.items()}
        return JSONResponse({**facts, "media_type": media, "notes": list(found.photo.notes), "layers": layers}, headers=headers)
    if answer == "zip":
        return Response(zipped({f"{name}.{suffix}": file for name, file in files.items()}), 200, headers, "application/zip")
    (content,) = files.values()
    return Response(content, 200, headers, media)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files by name in a zip archive, stored as they are."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


async def _run(request: Request, service: Service, function: Callable[[], Response]) -> Response:
    """The result of work in the queue; given up when it takes too long or the client goes away."""
    job = service.queue.submit(function)
    result = asyncio.wrap_future(job.future)
    gone = asyncio.create_task(_gone(request))
    try:
        waited: set[asyncio.Future[Any]] = {result, gone}
        await asyncio.wait(waited, timeout=service.timeout, return_when=asyncio.FIRST_COMPLETED)
        if result.done():
            return result.result()
        if gone.done():
            return Response(status_code=_GONE)
        raise HTTPException(408, f"the photo was not done within {service.timeout:g} s; send a smaller one")
    except StoppedError:
        return Response(status_code=_GONE)
    finally:
        gone.cancel()
        result.cancel()  # nobody asks what became of it
        job.give_up()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _models(networks: Networks) -> list[dict[str, Any]]:
    routes = {task: f"/api/{name}" for name, task in ROUTES.items()}
    return [
        {
            "label": served.label,
            "task": served.task.name,
            "route": routes[served.task.name],
            "layers": [*served.task.layers, *served.task.optional],
            "loaded": served.label in networks.loaded,
        }
        for served in networks.served.values()
    ]


async def _health() -> dict[str, str]:
    return {"status": "ok", "version": __version__}


async def _refused(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 422)
    headers = {"Retry-After": str(_RETRY_SECONDS)} if status == _STATUS[BusyError] else None
    return JSONResponse({"error": str(error)}, status, headers)


async def _refused_by_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)


async def _misunderstood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
    return JSONResponse({"error": "; ".join(said)[:1000]}, 422)
