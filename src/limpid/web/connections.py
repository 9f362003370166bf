"""uvicorn with what it lacks: idle and slow connections are cut, their number is bounded, SIGTERM ends it with exit code 0."""

import asyncio
import logging
import signal
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 30.0
"""How long a connection may take until its request has come up to the body."""

MOST = 512
"""Connections at one time."""

_LINGER = 2.0  # seconds in which a client that still sends may read its answer
_DRAIN = 25  # seconds that running requests have after SIGTERM


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that waits for a request's headers for ``HEADER_SECONDS`` and no longer."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock; refuse what is too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
        self._wait(HEADER_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Stop the clock once there is a request to answer."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; where an answer has begun already, only hang up."""
        if self.cycle is not None:  # nobody listens to what the application would still say
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def on_response_complete(self) -> None:
        """Start the clock for the next request; a body that comes although it is answered is not listened to for long."""
        super().on_response_complete()
        self._wait(HEADER_SECONDS if self.conn.their_state is not h11.SEND_BODY else _LINGER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        self._stop()
        self._waiting = self.loop.call_later(seconds, self._cut)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _cut(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


class Server(uvicorn.Server):
    """One process; SIGTERM lets running requests end, at most 25 s, and is then forgotten."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop listening; a second Ctrl-C does not wait."""
        if sig == signal.SIGTERM:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    @property
    def port(self) -> int:
        """Where it listens once it has started."""
        return int(self.servers[0].sockets[0].getsockname()[1])


def server(app: Any, host: str, port: int) -> Server:
    """A server of an ASGI application; what clients get wrong is answered, not logged."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=_DRAIN,
        h11_max_incomplete_event_size=32 * 1024,
    )
    return Server(config)
