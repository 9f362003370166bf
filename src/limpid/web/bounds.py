"""How much, and how slowly, a request may send."""

import asyncio
import time
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "SAMEORIGIN"}
_ROUND = {"Connection": "close"}


class Bounds:
    """ASGI middleware. ``largest``: bytes of a body, as it says and again as it comes (413); ``seconds`` for all of it (408).

    ``exceptions``: path → bytes where more is allowed.
    """

    def __init__(self, app: ASGIApp, *, largest: int, seconds: float, exceptions: Mapping[str, int] | None = None) -> None:
        self.app, self.largest, self.seconds = app, largest, seconds
        self.exceptions = dict(exceptions or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what says that it is too large; watch the rest while it comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        largest = self.exceptions.get(scope["path"], self.largest)
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdecimal() or int(said[:20]) > largest:
            answer = JSONResponse({"error": _too_large(largest)}, 413, headers=_ROUND)
            await answer(scope, receive, send)
            return
        await self.app(scope, _bounded(receive, largest, self.seconds), _labelled(send))


def _bounded(receive: Receive, largest: int, seconds: float) -> Receive:
    until, came, whole = time.monotonic() + seconds, 0, False

    async def bounded() -> Message:
        nonlocal came, whole
        if whole:
            return await receive()  # tells when the client goes away
        try:
            message = await asyncio.wait_for(receive(), max(0.0, until - time.monotonic()))
        except TimeoutError as error:
            raise HTTPException(408, f"the request did not come within {seconds:g} s", _ROUND) from error
        came += len(message.get("body", b""))
        if came > largest:
            raise HTTPException(413, _too_large(largest), _ROUND)
        whole = not message.get("more_body", False)
        return message

    return bounded


def _labelled(send: Send) -> Send:
    async def labelled(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return labelled


def _too_large(largest: int) -> str:
    return f"the request is larger than the {largest / 2**20:.0f} MiB that are allowed"
