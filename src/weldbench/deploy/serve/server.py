"""The server as a process: its address, its token, and how it starts and stops."""

import asyncio
import ipaddress
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.judge import Judge
from weldbench.deploy.runtimes import RuntimeName
from weldbench.deploy.serve.app import conditions, create_app
from weldbench.deploy.serve.limits import Limits
from weldbench.deploy.serve.pool import JudgePool
from weldbench.errors import InputError
from weldbench.runtime.processor import usable_cores
from weldbench.runtime.text import counted

TOKEN_VARIABLE = "WELDBENCH_TOKEN"
_HEAD_SECONDS = 10.0
_BACKLOG = 128
_LAST_PORT = 65535
_MOST_WORKERS = 8
_SHORT_TOKEN = 16


def serve(
    export: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    token_file: Path | None = None,
    limits: Limits | None = None,
    false_rejects: float | None = None,
    vote_frames: int | None = None,
    runtime: RuntimeName = "auto",
    keep_promise: bool = False,
) -> None:
    """Serve an export until SIGINT or SIGTERM; then answer what is accepted, and return.

    Args:
        export: The folder of an exported model.
        host: Name or number of the address; any but loopback demands a token.
        port: Of the address; 0 for a free one.
        token_file: Holds the token that clients must send; None takes the environment's, if it has one.
        limits: Of requests; None for the usual ones.
        false_rejects: Share of good frames that may be rejected; None as `Rule` chooses.
        vote_frames: Window of the vote in a batch; None as `Rule` chooses.
        runtime: That runs the model.
        keep_promise: Whether to decide as a promise about escapes asks.

    Raises:
        InputError: The export, the address or the token cannot be used.
    """
    limits = limits or Limits()
    token = read_token(token_file)
    bundle = load_bundle(export)
    rule = Rule(bundle, false_rejects, vote_frames, keep_promise)
    listener = _listener(host, port, token is not None)
    with listener:
        workers = _workers()
        # One after the other: on a busy machine this takes many seconds for each.
        _say(f"loading {bundle.model}, to judge {counted(workers, 'frame')} at a time")
        pool = JudgePool(lambda: Judge.of(bundle, rule, runtime), workers)
        config = uvicorn.Config(
            create_app(bundle, rule, pool, limits, token),
            http=_ImpatientProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            # Longer than any accepted request can take.
            timeout_graceful_shutdown=int(limits.send_seconds + limits.answer_seconds) + 5,
        )
        if rule.promise:
            _say(f"promise: {rule.promise.sentences}\n{conditions(limits)}")
        _say(f"serving {bundle.model} of {bundle.dataset} at {_url(listener)} (Ctrl-C stops it)")
        # uvicorn stops by these signals, and then raises them again for whoever handled them before.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _nothing_more)
        uvicorn.Server(config).run(sockets=[listener])
        pool.close()
        _say("stopped; what was accepted is answered")


def read_token(token_file: Path | None) -> str | None:
    """Read the token that clients must send: that of the file, or else that of the environment; None without one.

    Raises:
        InputError: The file cannot be read, or the token is empty or has several lines.
    """
    if token_file is None:
        token, place = os.environ.get(TOKEN_VARIABLE), TOKEN_VARIABLE
        if token is None:
            return None
    else:
        place = str(token_file)
        try:
            token = token_file.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise InputError(
                f"{token_file}: this token cannot be read ({error}); name a text file with one line"
            ) from None
        if TOKEN_VARIABLE in os.environ:
            _say(f"the token is that of {token_file}; {TOKEN_VARIABLE} is not used")
    token = token.strip()
    if not token or not token.isprintable():
        raise InputError(f"{place}: this is no token; write one line, as `openssl rand -hex 32` makes it")
    if len(token) < _SHORT_TOKEN:
        _say(f"{place}: this token is short, and can be guessed; `openssl rand -hex 32` makes a good one")
    return token


def _listener(host: str, port: int, has_token: bool) -> socket.socket:
    """Bind to an address; refuse one that others can reach unless there is a token."""
    if not 0 <= port <= _LAST_PORT:
        raise InputError(f"--port {port}: there is no such port; choose one from 0, for a free one, to {_LAST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            bound = ipaddress.ip_address(listener.getsockname()[0].partition("%")[0])
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{host}:{port}: the server cannot listen there ({why}); choose another --host or --port"
        ) from None
    if not bound.is_loopback and not has_token:
        listener.close()
        raise InputError(
            f"--host {host}: other machines can reach this address, so a token is needed; "
            f"give --token-file FILE, or set {TOKEN_VARIABLE}"
        )
    return listener


class _ImpatientProtocol(H11Protocol):
    """Closes a connection whose client does not get on with the head of its request: uvicorn would wait for ever."""

    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._closing = self.loop.call_later(_HEAD_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._patient()
        elif self._closing is None:
            self._closing = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._patient()

    def _patient(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None


def _workers() -> int:
    """Return how many frames are judged at one time: one per core that this process may use."""
    return min(usable_cores(), _MOST_WORKERS)


def _url(listener: socket.socket) -> str:
    address: tuple[Any, ...] = listener.getsockname()
    host = f"[{address[0]}]" if listener.family == socket.AF_INET6 else address[0]
    return f"http://{host}:{address[1]}"


def _nothing_more(_: int, __: FrameType | None) -> None:
    return None


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
