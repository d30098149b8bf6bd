"""The server of a review as a process: loopback alone, one reviewer at a time."""

import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from weldbench.data.dataset import open_dataset
from weldbench.errors import InputError
from weldbench.pipeline.lock import take_output_lock
from weldbench.review.app import create_app
from weldbench.review.session import Session

_HOST = "127.0.0.1"
_LAST_PORT = 65535
_GRACE_SECONDS = 5


def review(data: Path, listed: Path, file: Path, port: int) -> None:
    """Serve the page until SIGINT or SIGTERM.

    Args:
        data: Folder that ingest wrote.
        listed: review.csv of the stage review.
        file: The corrections.
        port: On loopback; 0 for a free one.

    Raises:
        InputError: A file or the port cannot be used, or another review writes the file.
    """
    if not 0 <= port <= _LAST_PORT:
        raise InputError(f"--port {port}: there is no such port; choose one from 0, for a free one, to {_LAST_PORT}")
    take_output_lock(file)
    dataset = open_dataset(data)
    session = Session(dataset, listed, file)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
        except OSError as error:
            raise InputError(f"--port {port}: it cannot be used ({error.strerror}); choose another one") from None
        port = listener.getsockname()[1]
        hosts = [f"{name}:{port}" for name in (_HOST, "localhost")]
        config = uvicorn.Config(
            create_app(dataset, session, hosts),
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        _say(f"{session.decided} of {len(session.stretches)} stretches are decided; decisions go to {file}")
        _say(f"review at http://{_HOST}:{port} (Ctrl-C ends it)")
        # uvicorn stops by these signals, and then raises them again for whoever handled them before.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _nothing_more)
        uvicorn.Server(config).run(sockets=[listener])
    _say(f"{session.decided} of {len(session.stretches)} stretches are decided")


def _nothing_more(_: int, __: FrameType | None) -> None:
    return None


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
