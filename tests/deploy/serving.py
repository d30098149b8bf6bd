"""A real server in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WELDBENCH = Path(sys.executable).parent / "weldbench"
PATIENCE_SECONDS = 120  # against hangs only


@dataclass
class Server:
    url: str
    process: subprocess.Popen
    printed: Path

    def stop(self, how: int = signal.SIGTERM) -> str:
        """Stop it as a user does, and return what it printed."""
        self.process.send_signal(how)
        self.process.wait(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, self.printed.read_text()
        return self.printed.read_text()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def start(export: Path, *options: str, token: str | None = None) -> tuple[subprocess.Popen, Path]:
    environment = {name: value for name, value in os.environ.items() if name != "WELDBENCH_TOKEN"}
    if token is not None:
        environment["WELDBENCH_TOKEN"] = token
    printed = export.parent / f"printed-{time.monotonic_ns()}"
    command = [WELDBENCH, "serve", export, "--port", "0", *options]
    with printed.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=export.parent, env=environment)
    return process, printed


@contextmanager
def serving(export: Path, *options: str, token: str | None = None) -> Iterator[Server]:
    process, printed = start(export, *options, token=token)
    try:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not (found := re.search(r"at (http://\S+)", printed.read_text())):
            assert process.poll() is None, printed.read_text()
            assert time.monotonic() < give_up
            time.sleep(0.05)
        yield Server(found[1].replace("0.0.0.0", "127.0.0.1"), process, printed)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def refused(export: Path, *options: str, token: str | None = None) -> str:
    """Start a server that must not start, and return what it printed."""
    process, printed = start(export, *options, token=token)
    try:
        assert process.wait(timeout=PATIENCE_SECONDS) == 2
    finally:
        process.kill()
        process.wait()
    return printed.read_text()
