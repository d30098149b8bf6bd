"""Who may talk to the page's server: the page itself, and no page of another site that this browser shows."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
_LARGEST_BODY_BYTES = 4096
_SAFE = frozenset({"GET", "HEAD"})


class LoopbackGate:
    """ASGI middleware for a server that only this machine can reach, and whose browser shows other sites too.

    A name of another site may be made to point here (DNS rebinding), so the Host has to be this one. Any page can post
    here, so what changes something has to come from the page itself: the browser names its origin. Nobody may put the
    page into a frame of theirs.

    Args:
        app: What is behind the gate.
        hosts: That the server is reached by, with its port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with the reason why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers["Cache-Control"] = "no-cache"
            await send(message)

        if problem := self._problem(scope["method"], Headers(scope=scope)):
            await JSONResponse({"detail": problem}, 403)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _problem(self, method: str, headers: Headers) -> str:
        host = headers.get("host", "")
        if host not in self._hosts:
            return "this server answers under its own address only"
        if method in _SAFE:
            return ""
        if headers.get("origin", "") != f"http://{host}":
            return "only the page of this server may decide"
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return "a decision is JSON"
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY_BYTES:
            return f"a decision has at most {_LARGEST_BODY_BYTES} bytes, and says how many"
        return ""
