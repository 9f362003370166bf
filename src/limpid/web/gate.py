"""Who may come in: known host names, no other site's pages, and those who have the token or the password."""

import hmac
import ipaddress
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "limpid_token"
_OPEN = "/health"


class Gate:
    """ASGI middleware. ``hosts``: names that requests may come to, beside ``localhost`` and plain addresses.

    A name that is not known may be another site's that points here (DNS rebinding): 421. A page of another origin may not send
    anything: 403. With a ``token`` or ``auth`` (``user:password``) all but ``/health`` needs it: 401. ``?token=…`` sets a cookie.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str] = (), token: str | None = None, auth: str | None = None) -> None:
        self.app = app
        self._hosts = {"localhost", *(host.lower() for host in hosts)}
        self._token, self._auth = token, auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not come in; hand on the rest."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = self._answer(scope, Headers(scope=scope))
        await (answer or self.app)(scope, receive, send)

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not self._known(host):
            return _refusal(421, "this host name is not served here; add it with --allow-host NAME")
        origin = headers.get("origin")
        if scope["method"] not in ("GET", "HEAD") and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return _refusal(403, "pages of other sites may not send anything here")
        if scope["path"] == _OPEN or (self._token is None and self._auth is None):
            return None
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and self._is_token(asked):
            answer = RedirectResponse(scope["path"], 303)
            answer.set_cookie(COOKIE, asked, httponly=True, samesite="strict")
            return answer
        if self._is_token(_bearer(headers)) or self._is_token(_cookie(headers)) or self._is_user(headers):
            return None
        return _refusal(401, "a token or a password is needed", {"WWW-Authenticate": "Basic" if self._auth else "Bearer"})

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name.lower() in self._hosts:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # a plain address cannot be rebound

    def _is_token(self, given: str) -> bool:
        return self._token is not None and _equal(given, self._token)

    def _is_user(self, headers: Headers) -> bool:
        kind, _, text = headers.get("authorization", "").partition(" ")
        if self._auth is None or kind.lower() != "basic":
            return False
        try:
            return _equal(b64decode(text).decode("utf-8"), self._auth)
        except (Base64Error, ValueError):
            return False


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _bearer(headers: Headers) -> str:
    kind, _, text = headers.get("authorization", "").partition(" ")
    return text if kind.lower() == "bearer" else ""


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _refusal(status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": why}, status, headers={"Connection": "close", **(headers or {})})
