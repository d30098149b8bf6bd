"""One lock per project folder: Snakemake, DVC and `weldbench sync` never write there at the same time."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from weldbench.errors import InputError

LOCK_FILE = ".weldbench.lock"
HELD = "WELDBENCH_LOCK_HELD"


def take_engine_lock(engine: str) -> FileLock | None:
    """Take the lock of the working folder until the process ends or the lock is released.

    The processes that this one starts see in their environment that they work under its lock.

    Args:
        engine: Who takes it, for the message to the one who comes second.

    Returns:
        The lock, or None under the lock of a parent process.

    Raises:
        InputError: Another engine is at work in this folder.
    """
    if HELD in os.environ:
        return None
    lock = FileLock(LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"{engine} cannot start: snakemake, dvc or weldbench sync is at work in {Path.cwd()}; "
            "wait until it has ended, then start again"
        ) from None
    os.environ[HELD] = engine
    return lock
