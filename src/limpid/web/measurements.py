"""What ``/metrics`` says, in Prometheus' text format."""

import time
from collections.abc import Callable

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Measurements:
    """Numbers of one process: requests by path and status, seconds of photos, photos in the queue, memory."""

    def __init__(self, inside: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("limpid_requests", "Requests answered", ("path", "status"), registry=self._registry)
        self.seconds = Histogram("limpid_photo_seconds", "Seconds of work on a photo", ("task",), registry=self._registry)
        Gauge("limpid_queue", "Photos that run or wait", registry=self._registry).set_function(inside)
        memory = Gauge("limpid_resident_bytes", "Resident memory", registry=self._registry)
        memory.set_function(lambda: psutil.Process().memory_info().rss)
        started = Gauge("limpid_start_time_seconds", "When the process started serving", registry=self._registry)
        started.set(time.time())

    def text(self) -> bytes:
        """All numbers."""
        return bytes(generate_latest(self._registry))


class Counted:
    """ASGI middleware that counts answers; paths that are not ``known`` are one."""

    def __init__(self, app: ASGIApp, *, measurements: Measurements, known: frozenset[str]) -> None:
        self.app, self.measurements, self.known = app, measurements, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the status that is sent."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.known else "other"

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.measurements.requests.labels(path, str(message["status"])).inc()
            await send(message)

        await self.app(scope, receive, counting)
