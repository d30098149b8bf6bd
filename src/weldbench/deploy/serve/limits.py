"""What a client may ask of the server: its token, and limits of size, time and waiting requests."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from weldbench.deploy.serve.metrics import Metrics

RETRY_AFTER_SECONDS = 1
# The page and the interactive description need nothing from outside, and may get nothing.
_POLICY = "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
_POLICY_OF_DOCS = f"{_POLICY}; script-src 'self' 'unsafe-inline'"


@dataclass(frozen=True)
class Limits:
    """What is accepted.

    Attributes:
        body_bytes: The largest body of a request.
        picture_pixels: The largest picture, by the size that its header declares.
        batch_frames: Most frames of one request.
        send_seconds: In which a client must have sent its request.
        answer_seconds: In which an accepted request is answered, or refused.
        queue: Most requests that are accepted at one time, from their first byte to their answer.
    """

    body_bytes: int = 32 * 2**20
    picture_pixels: int = 16_000_000
    batch_frames: int = 64
    send_seconds: float = 30.0
    answer_seconds: float = 30.0
    queue: int = 32


class Gate:
    """ASGI middleware: lets in only who has the token, and what keeps within the limits.

    Bodies are read here, whole, before the app sees a request: none of its code waits for a slow client.

    Args:
        app: What is behind the gate.
        limits: Of requests.
        token: That is demanded; None for none.
        metrics: Count what comes and what is refused.
        abandoned: Tells how many jobs go on after their request was given up; they hold their places.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None, metrics: Metrics, abandoned: Callable[[], int]):
        self._app, self._limits, self._metrics, self._abandoned = app, limits, metrics, abandoned
        self._token = token.encode() if token is not None else None
        self._accepted = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with the reason why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._metrics.observed(scope) as observe:

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    observe(message["status"])
                    _add_headers(message, scope["path"])
                await send(message)

            await self._admit(scope, receive, send_with_headers)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_private = scope["path"].startswith("/v1/") or scope["path"] == "/metrics"
        if is_private and not self._has_token(headers):
            said = "this server asks for a token: send it as `Authorization: Bearer TOKEN`"
            await _refuse(scope, receive, send, 401, said, {"WWW-Authenticate": "Bearer"})
        elif scope["method"] != "POST" or not is_private:
            await self._app(scope, receive, send)
        elif self._accepted + self._abandoned() >= self._limits.queue:
            await busy(scope, receive, send)
        else:
            self._accepted += 1
            self._metrics.accepted.set(self._accepted)
            try:
                await self._accept(scope, receive, send, headers)
            finally:
                self._accepted -= 1
                self._metrics.accepted.set(self._accepted)

    async def _accept(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        limit = self._limits.body_bytes
        length = headers.get("content-length", "")
        too_large = f"the body has more than {limit} bytes; send fewer frames at once, or smaller ones"
        if length.isdecimal() and int(length) > limit:
            await _refuse(scope, receive, send, 413, too_large)
            return
        try:
            body = await asyncio.wait_for(_whole_body(receive, limit), self._limits.send_seconds)
        except TimeoutError:
            said = f"the request was not complete after {self._limits.send_seconds:g} s"
            await _refuse(scope, receive, send, 408, said)
            return
        except _TooLargeError:
            await _refuse(scope, receive, send, 413, too_large)
            return
        if body is not None:  # else the client has gone, and nobody waits for an answer
            await self._app(scope, _replaying(body, receive), send)

    def _has_token(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Headers come as Latin-1; a token is meant as UTF-8.
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), self._token)


class _TooLargeError(Exception):
    pass


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that there is too much to do."""
    said = f"too many requests are waiting; send this one again in {RETRY_AFTER_SECONDS} s"
    await _refuse(scope, receive, send, 503, said, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _whole_body(receive: Receive, limit: int) -> bytes | None:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _TooLargeError
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replaying(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: dict[str, str] | None = None
) -> None:
    await JSONResponse({"detail": detail}, status, headers)(scope, receive, send)


def _add_headers(message: Message, path: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["Content-Security-Policy"] = _POLICY_OF_DOCS if path == "/docs" else _POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
